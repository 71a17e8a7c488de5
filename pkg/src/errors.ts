/** One class of error for everything: a code to act on, a sentence, and what to do about it. */
import type { ErrorCode } from "./types.js";

/** What each code advises where nothing better is known. */
const HINTS: Record<ErrorCode, string> = {
  "no-wasm-simd": "Use a browser from 2023 or later, or Node 20 or later.",
  "no-webgpu": "Compute on the CPU, which is slower for large models but always works.",
  "device-lost": "Load the model again, on the CPU if it happens again.",
  "out-of-memory": "Close other tabs, or ask for fewer games in an iteration.",
  "bad-model": "Choose another file: one that archer exported, whole and unchanged.",
  "version-mismatch": "Export the model again with the version of archer that this page comes with.",
  network: "Check the connection and the address, then try again.",
  storage: "Allow this site to keep data, make room, or export the model to a file instead.",
  conflict: "Another tab has saved since: restore its version, or save under another name.",
  "not-found": "Look at what is saved, and choose one of these names.",
  usage: "Compare the call with the package's types.",
  disposed: "Load the model again.",
  internal: "This is a fault of archer's; please report it with its message.",
};

export class ArcherError extends Error {
  override readonly name = "ArcherError";
  readonly code: ErrorCode;
  /** What to do about it, as a sentence. */
  readonly hint: string;

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
  if (isFault(thrown)) return new ArcherError(thrown.code, thrown.message, thrown.hint);
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new ArcherError("internal", message, undefined, { cause: thrown });
}

export function faultOf(thrown: unknown): Fault {
  const { code, message, hint } = asArcherError(thrown);
  return { code, message, hint };
}
