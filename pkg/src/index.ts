/** archer-web: everything public leaves through this file. */
import { loadAgent } from "./agent.js";
import { startHere } from "./engine.js";
import { modelBytes } from "./fetch.js";
import { startIn } from "./remote.js";
import { defaultStore } from "./store.js";
import type { Agent, LoadOptions } from "./types.js";

export { capabilities } from "./backends.js";
export { ArcherError } from "./errors.js";
export type * from "./types.js";

/**
 * Addresses of the models in the package, for `LoadOptions.model`. `twentyQuestions`, the default, knows 157 things;
 * `quickstart` knows ten, is smaller, and what it learns shows within a minute.
 */
export const models = {
  twentyQuestions: new URL("./twenty-questions.archer", import.meta.url),
  quickstart: new URL("./quickstart.archer", import.meta.url),
} as const;

/** Loads a model and makes it ready to play, to be looked into and to learn. */
export async function load(options: LoadOptions = {}): Promise<Agent> {
  const { backend = "auto", admitSoftware = false, onProgress, signal, thread, worker, wasm = {}, storage } = options;
  signal?.throwIfAborted();
  const here = thread ? thread === "here" : typeof Worker !== "function" || typeof document !== "object";
  const model = await modelBytes(options.model ?? models.twentyQuestions, onProgress, signal);
  return loadAgent({
    asked: backend,
    admitSoftware,
    start: here ? startHere : startIn(worker ?? makeWorker),
    store: storage ?? defaultStore(),
    options: { model, onProgress, signal },
    wasm: { cpu: absolute(wasm.cpu), webgpu: absolute(wasm.webgpu) },
  });
}

function makeWorker(): Worker {
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module", name: "archer" });
}

/** An address as a worker understands it, which stands elsewhere than the page. */
function absolute(address: string | URL | undefined): string | undefined {
  return address === undefined ? undefined : new URL(address, globalThis.document?.baseURI).href;
}
