/**
 * Checks what a caller hands in, before any of it is used: an unknown name, a wrong type and a value out of range
 * are each refused by one sentence. The tables below list every option of every call.
 */
import { ArcherError } from "./errors.js";

/** Says what is wanted where a value is not that, and nothing where it is. */
export type Check = (value: unknown) => string | undefined;
export type Table = Readonly<Record<string, Check>>;

/** Most games of one evaluation: with more, the interval is narrower than any two agents differ. */
export const MOST_GAMES = 100_000;
/** The most games that `playGames` tells at a time. */
export const MOST_TOLD = 1000;

export const bool: Check = (value) => (typeof value === "boolean" ? undefined : "true or false");
export const text: Check = (value) => (typeof value === "string" ? undefined : "a text");
export const callback: Check = (value) => (typeof value === "function" ? undefined : "a function");
export const seed = whole(0);

export function oneOf(...allowed: string[]): Check {
  const last = allowed.length - 1;
  const list = allowed.map((name, at) => `${at === 0 ? "" : at === last ? " or " : ", "}"${name}"`).join("");
  return (value) => (allowed.includes(value as string) ? undefined : list);
}

export function whole(from: number, to = Number.MAX_SAFE_INTEGER): Check {
  const wanted = to === Number.MAX_SAFE_INTEGER ? `a whole number from ${from} up` : `a whole number from ${from} to ${to}`;
  return (value) => (Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to ? undefined : wanted);
}

/** Something with these methods. */
export function having(wanted: string, ...methods: string[]): Check {
  return (value) => {
    const fits = typeof value === "object" && value !== null && methods.every((name) => typeof (value as never)[name] === "function");
    return fits ? undefined : wanted;
  };
}

export const signal = having("an AbortSignal", "addEventListener", "throwIfAborted");

export function listOf(check: Check, wanted: string): Check {
  return (value) => (Array.isArray(value) && value.every((item) => check(item) === undefined) ? undefined : wanted);
}

/** Data that JSON could hold; what else is in it would be dropped on its way, or could not travel at all. */
export function data(wanted: string): Check {
  return (value) => {
    const odd = oddPart(value, "", new Set());
    if (odd !== undefined) return `${wanted}, and nothing but data: it has ${odd}`;
    return typeof value === "object" && value !== null && !Array.isArray(value) ? undefined : wanted;
  };
}

function oddPart(value: unknown, at: string, above: Set<object>): string | undefined {
  const where = at ? ` at "${at}"` : "";
  if (["function", "symbol", "bigint"].includes(typeof value)) return `a ${typeof value}${where}`;
  if (typeof value === "number" && !Number.isFinite(value)) return `${value}${where}`;
  if (typeof value !== "object" || value === null) return undefined;
  if (above.has(value)) return `a circle${where}`;
  above.add(value);
  for (const [key, part] of Object.entries(value)) {
    const odd = oddPart(part, at ? `${at}.${key}` : key, above);
    if (odd !== undefined) return odd;
  }
  above.delete(value);
  return undefined;
}

const address: Check = (value) => (typeof value === "string" || isA(value, "URL") ? undefined : "an address");
const bytes: Check = (value) => (value instanceof ArrayBuffer || isA(value, "ArrayBuffer") || ArrayBuffer.isView(value) ? undefined : "bytes");
const isModule = (value: unknown): boolean => isA(value, "Module") || isA(value, "WebAssembly.Module");

/** Whether it is an object of this kind: by its tag, since it may come from another window. */
function isA(value: unknown, ...tags: string[]): boolean {
  return typeof value === "object" && value !== null && tags.includes(Object.prototype.toString.call(value).slice(8, -1));
}

export function fits(value: unknown, ...checks: Check[]): boolean {
  return checks.some((check) => check(value) === undefined);
}

/** A model file in any of its forms. */
export const FILE: Check = (value) =>
  fits(value, bytes) || isA(value, "Blob", "File") ? undefined : "bytes or a Blob";
/** A name under which something is kept. */
export const NAME: Check = (value) => (typeof value === "string" && value !== "" ? undefined : "a name");
const model: Check = (value) => (fits(value, address, FILE) ? undefined : "an address, bytes or a Blob");
const program: Check = (value) =>
  fits(value, address, bytes) || isA(value, "Response") || isModule(value)
    ? undefined
    : "an address, a Response, bytes or a WebAssembly.Module";

const backend = oneOf("auto", "cpu", "webgpu");
/** A world of functions, the place of one, or one of the package's own. */
const world: Check = (value) => {
  const { start, act, module, builtIn } = (value ?? {}) as Record<string, unknown>;
  const functions = typeof start === "function" && typeof act === "function";
  const elsewhere = module !== undefined && fits(module, address);
  return functions || elsewhere || fits(value, address) || fits(builtIn, text) ? undefined : "what defineWorld gives, or the address of its module";
};
const recorded: Check = (value) => {
  const { opening, turns } = (value ?? {}) as Record<string, unknown>;
  return fits(opening, text) && Array.isArray(turns) && turns.every((turn) => fits((turn as { said?: unknown })?.said, text)) ? undefined : "a game";
};
/** Games that were played. */
export const GAMES: Check = listOf(recorded, 'a list of games such as { opening: "…", turns: [{ said: "…", reply: "…", reward: 1 }] }');

/** Options of the calls that every entry has. */
export const LOAD: Table = {
  model,
  keep: bool,
  backend,
  admitSoftware: bool,
  onProgress: callback,
  signal,
  thread: oneOf("worker", "here"),
  worker: callback,
  wasm: having("where the two modules are, such as { cpu: address }"),
  world: (value) => (fits(value, callback, world) ? undefined : `${world(value)}, or a function that gives it`),
  storage: having("a store with get, set, delete and keys", "get", "set", "delete", "keys"),
};
/** Without WebGPU there is nothing to choose. */
export const LOAD_ON_CPU: Table = { ...LOAD, backend: oneOf("cpu", "auto") };
export const WASM: Table = { cpu: program, webgpu: program, llm: program };
export const WASM_ON_CPU: Table = { cpu: program };
export const FINE_TUNE: Table = {
  iterations: whole(1),
  seed,
  games: whole(1),
  evaluateEvery: whole(0),
  evaluationGames: whole(1, MOST_GAMES),
  world,
  teachWinning: bool,
  resume: bool,
  set: data('settings such as { "lm_lr": 1e-4 }'),
  signal,
};
export const EVALUATE: Table = {
  games: whole(1, MOST_GAMES),
  seed,
  sample: bool,
  model: oneOf("current", "kept"),
  world,
  signal,
};
export const PLAY_GAMES: Table = { ...EVALUATE, games: whole(1, MOST_TOLD), oneByOne: bool };
export const LEARN: Table = { iterations: whole(1), seed, world, set: FINE_TUNE.set as Check, signal };
const texts = listOf(text, "a list of texts");
const choices: Check = (value) => (value === null || fits(value, texts) ? undefined : "a list of texts, or null");
export const TALK: Table = {
  opening: text,
  choices,
  seed,
  exchanges: listOf(exchange, "a list of { said, reply }"),
  open: (value) => (value === null || fits(value, text) ? undefined : "a text, or null"),
  unread: texts,
};
export const SAY: Table = { onText: callback, sample: bool, score: bool, alternatives: whole(0, 256), choices, signal };
/** How a conversation can end. */
export const END: Check = (value) => (value === null ? undefined : oneOf("won", "over", "cut")(value) && '"won", "over", "cut" or null');
const finite: Check = (value) => (Number.isFinite(value) ? undefined : "a finite number");
/** A text, and a list of texts. */
export const TEXT = text;
export const TEXTS = texts;
export const HEAR: Table = { reward: finite, end: END, choices };
export const LOOK: Table = { samples: whole(0, 256), also: texts };
export const CREATE: Table = {
  world,
  demonstrations: GAMES,
  size: oneOf("tiny", "small", "medium"),
  seed,
  algorithm: oneOf("ppo", "archer"),
  set: FINE_TUNE.set as Check,
  backend: oneOf("cpu", "auto"),
  onProgress: callback,
  signal,
  thread: LOAD.thread as Check,
  worker: callback,
  wasm: LOAD.wasm as Check,
  storage: LOAD.storage as Check,
};
export const SAVE: Table = { ifRevision: whole(0), base: bool };
export const EXPORT: Table = { training: bool, base: bool };

function exchange(value: unknown): string | undefined {
  const { said, reply } = (value ?? {}) as Record<string, unknown>;
  return fits(said, text) && fits(reply, text) ? undefined : "an exchange";
}

/** Refuses options that are no options of this call; gives them back with their type. */
export function checked<T extends object>(call: string, options: T | undefined, table: Table): T {
  if (options === undefined) return {} as T;
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new ArcherError("usage", `${call} takes an object with options, and not ${shown(options)}.`, `${listed(table)}`);
  }
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(table, name) ? table[name] : undefined;
    if (!check) {
      const near = nearest(name, Object.keys(table));
      throw new ArcherError("usage", `${call} has no option "${name}".`, near ? `Did you mean "${near}"?` : listed(table));
    }
    if (value !== undefined) checkedValue(call, name, value, check);
  }
  return options;
}

/** Refuses one value; `name` is how the message calls it. */
export function checkedValue(call: string, name: string, value: unknown, check: Check): void {
  const wanted = check(value);
  if (wanted !== undefined) {
    throw new ArcherError("usage", `${call}: ${name} is ${shown(value)}.`, `It takes ${wanted}.`);
  }
}

function listed(table: Table): string {
  return `Its options are ${Object.keys(table).join(", ")}.`;
}

/** A value as a message may show it: never whole bytes, never a long text. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value !== "object" || value === null) return String(value);
  if (fits(value, bytes)) return `${(value as ArrayBuffer).byteLength} bytes`;
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  return tag === "Object" ? "an object" : `${/^[AEIO]/.test(tag) ? "an" : "a"} ${tag}`;
}

/** The nearest of some names, if it is near enough to be meant. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(name.length / 3));
  const ranked = names
    .map((candidate) => ({ candidate, far: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.far - b.far);
  const best = ranked[0];
  return best && best.far <= limit && best.far < best.candidate.length ? best.candidate : undefined;
}

/** Letters to insert, drop or change to make one name the other. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const changed = (row[j - 1] as number) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[to.length] as number;
}
