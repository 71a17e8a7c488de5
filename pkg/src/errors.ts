/** One class of error for everything: a code to act on, a sentence, and what to do about it. */
import type { ErrorCode } from "./types.js";

/** Where a bug is reported: the address of the project's list of issues, once it has one. */
const REPORT_TO: string | null = null;

/** What is advised where the fault can only be archer's own. */
export const REPORT = `This is a bug in archer. Please report it with its message${REPORT_TO ? ` (${REPORT_TO})` : ""}.`;

/** What each code advises where nothing better is known. */
const HINTS: Record<ErrorCode, string> = {
  "no-wasm-simd": "Use a browser from 2023 or later, or Node 20 or later.",
  "no-webgpu": "Use the CPU, which is slower for large models but always works.",
  "device-lost": "Load the model again. If it happens again, load it on the CPU.",
  "out-of-memory": "Close other tabs, or ask for fewer games in an iteration.",
  "bad-model": "Choose a file that archer exported, complete and unchanged.",
  "version-mismatch": "Export the model again with the version of archer that this page uses.",
  diverged: "Roll back to the kept model, and train with lower learning rates.",
  network: "Check the connection and the address, then try again.",
  blocked: "Allow it in the page's policy.",
  storage: "Allow this site to keep data, free some space, or export the model to a file.",
  conflict: "Another tab has saved in the meantime. Restore its version, or save under another name.",
  "not-found": "Choose one of the names that saved() lists.",
  world: "Fix the world as the message says. The model is unchanged.",
  usage: "Check the call against the package's types.",
  disposed: "Load the model again.",
  internal: REPORT,
};

/**
 * What every call of the package throws or rejects with, except where a signal stopped it: that rejects with the
 * signal's reason.
 */
export class ArcherError extends Error {
  /** The name of the class. */
  override readonly name = "ArcherError";
  /** What went wrong, for programs. */
  readonly code: ErrorCode;
  /** What to do about it, as a sentence. */
  readonly hint: string;

  /** Makes one; without a hint it has what its code advises. */
  constructor(code: ErrorCode, message: string, hint?: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.hint = hint ?? HINTS[code];
  }
}

/** The shape in which an error crosses from the core or from a worker. */
export interface Fault {
  code: ErrorCode;
  message: string;
  hint: string;
}

export function isFault(value: unknown): value is Fault {
  return typeof value === "object" && value !== null && "code" in value && "message" in value && "hint" in value;
}

/** Whatever was thrown, as an `ArcherError`. */
export function asArcherError(thrown: unknown): ArcherError {
  if (thrown instanceof ArcherError) return thrown;
  if (isFault(thrown)) {
    return new ArcherError(thrown.code, sentence(plain(thrown.message)), thrown.code === "internal" ? undefined : thrown.hint);
  }
  return new ArcherError("internal", messageOf(thrown), undefined, { cause: thrown });
}

export function faultOf(thrown: unknown): Fault {
  const { code, message, hint } = asArcherError(thrown);
  return { code, message, hint };
}

/** What something thrown says of itself. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/**
 * Whether memory was the matter. Rust ends a program that gets none by `unreachable`, without a word; the runtime
 * throws a RangeError where it cannot make room, but also where too many calls are nested.
 */
export function isOutOfMemory(thrown: unknown): boolean {
  if (thrown instanceof WebAssembly.RuntimeError) return /unreachable/i.test(thrown.message);
  if (thrown instanceof RangeError) return !/call stack|recursion/i.test(thrown.message);
  // An instance that asks for more memory than the runtime grants at all.
  return thrown instanceof WebAssembly.LinkError || /out of memory/i.test(messageOf(thrown));
}

/** The first line of what a driver or a panic says, as a sentence: causes and backtraces follow it. */
export function firstLine(text: string): string {
  const line = text.split("\n", 1)[0]?.trim() ?? "";
  return /[.!?]$/.test(line) ? line : `${line}.`;
}

/** What the core's reader of data calls kinds of values, as people call them. */
const KINDS: [RegExp, string][] = [
  [/\b(u8|u16|u32|u64|usize)\b/g, "a whole number from 0 up"],
  [/\b(i8|i16|i32|i64|isize)\b/g, "a whole number"],
  [/\b(f32|f64)\b/g, "a number"],
  [/\ba boolean\b/g, "true or false"],
  [/\b(a|borrowed) string\b/g, "a text"],
  [/\ba map\b|\bstruct \w+/g, "an object"],
  [/\ba sequence\b/g, "a list"],
];

/** A message without the words of the core's reader of data, which are a programmer's. */
function plain(message: string): string {
  const read = message
    .replace(/^the request cannot be read: (Error: )?/, "")
    .replace(/invalid (?:type|value|length):? (.+?), expected (.+)/, (_, found: string, wanted: string) => {
      const kind = KINDS.reduce((text, [known, word]) => text.replace(known, word), wanted);
      return `it is ${found.replace(/`/g, "").replace(/^string /, "the text ")}, and must be ${kind}`;
    })
    .replace(/unknown (?:field|variant) `(.+?)`, (?:expected|there are) (?:one of )?(.+)/, 'there is no "$1", but $2')
    .replace(/missing field `(.+?)`/, '"$1" is missing');
  return read.replace(/ at line \d+ column \d+$/, "");
}

/** A message as a sentence: the core's begin small, for the terminal puts a word before them. A name of a key stays as it is. */
function sentence(message: string): string {
  const text = message.trim();
  const begun = /^[a-z]+(?=[\s,;]|: |$)/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return /[.!?]$/.test(begun) || begun === "" ? begun : `${begun}.`;
}
