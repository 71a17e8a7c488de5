/**
 * `archer-web/cpu` with its program inside the script, for places where a script finds no other file: a page of one
 * file, a user script, a plugin. It computes on the thread that it is called on.
 *
 * @module archer-web/inline
 */
import { ArcherError, messageOf } from "./errors.js";
import type { Bytes } from "./fetch.js";
import { creator, loader } from "./load.js";
import { LOAD_ON_CPU } from "./options.js";
import { present } from "./runtime.js";
import type { Create, Load } from "./types.js";
import makeGlue from "./wasm/cpu-glue.js";
import packed from "./wasm/cpu-packed.js";

export { ArcherError } from "./errors.js";
export { defineWorld } from "./world.js";
export type * from "./types.js";

const NO_WORKER = "archer-web/inline has no worker of its own.";

const entry = {
  // The program is always handed in, so nothing is looked for there.
  modules: { cpu: { make: makeGlue, url: new URL("file:///archer-cpu_bg.wasm") } },
  options: LOAD_ON_CPU,
  workerName: "",
  makeWorker: (): Worker => {
    throw new ArcherError("usage", NO_WORKER, "Leave thread out, or pass a worker.");
  },
};

const onCpu = { load: loader(entry), create: creator(entry) };

/**
 * Loads a model, which must be named, and makes it ready on this thread. Rejects as in `archer-web`.
 *
 * @function
 */
export const load: Load = async (options) => onCpu.load(await withProgram(options));

/**
 * Makes an agent from nothing for a world, as in `archer-web`.
 *
 * @function
 */
export const create: Create = async (options) => onCpu.create(await withProgram(options));

type Given = { thread?: "worker" | "here"; worker?: unknown; wasm?: object };

/** The same options, with this script's program where they name none. `load` checks them afterwards. */
async function withProgram<T>(options: T): Promise<T> {
  if (options !== undefined && (typeof options !== "object" || options === null)) return options;
  const { thread, worker, wasm = {} } = (options ?? {}) as Given;
  if (thread === "worker" && !worker) entry.makeWorker();
  const own = typeof wasm !== "object" || wasm === null || "cpu" in wasm ? wasm : { ...wasm, cpu: await program() };
  return { ...options, ...(!thread && !worker && { thread: "here" }), wasm: own } as T;
}

let unpacking: Promise<Bytes> | undefined;

/** The program; unpacked once. */
function program(): Promise<Bytes> {
  unpacking ??= unpacked().catch((cause: unknown) => {
    unpacking = undefined;
    throw new ArcherError("internal", `The program could not be unpacked (${messageOf(cause)}).`, "Pass it: load({ wasm: { cpu } }).", { cause });
  });
  return unpacking;
}

async function unpacked(): Promise<Bytes> {
  const Unpack = present(() => DecompressionStream);
  if (!Unpack) throw new Error("this runtime has no DecompressionStream");
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(new Unpack("gzip"))).arrayBuffer());
}
