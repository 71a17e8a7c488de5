/** `load`, for an entry of the package. */
import { loadAgent } from "./agent.js";
import { type Modules, startHere } from "./engine.js";
import { ArcherError } from "./errors.js";
import { isAddress, modelBytes, programOf } from "./fetch.js";
import { checked, LOAD, type Table, WASM, WASM_ON_CPU } from "./options.js";
import { together } from "./progress.js";
import { startIn } from "./remote.js";
import { hasWorkers, isPage } from "./runtime.js";
import { defaultStore } from "./store.js";
import type { Agent, LoadOptions } from "./types.js";

/** What an entry has. */
export interface Entry {
  modules: Modules;
  /** Starts the worker, in the words by which bundlers find its script, and the name of that script. */
  makeWorker(): Worker;
  workerName: string;
  /** The model that is loaded where none is named. */
  model?: NonNullable<LoadOptions["model"]>;
  /** What its `load` takes. */
  options?: Table;
}

type Programs = NonNullable<LoadOptions["wasm"]>;

/** The `load` of an entry. */
export function loader(entry: Entry): (options?: LoadOptions) => Promise<Agent> {
  return async (given) => {
    const options = checked("load", given, entry.options ?? LOAD);
    const { signal, wasm } = options;
    const { cpu, webgpu } = checked("load.wasm", wasm as Programs | undefined, entry.modules.webgpu ? WASM : WASM_ON_CPU);
    const model = options.model ?? entry.model;
    if (!model) throw new ArcherError("usage", "load was given no model.", 'Hand one in: import model from "archer-web/models/quickstart", and load({ model }).');
    signal?.throwIfAborted();
    const start = options.thread === "here" || (!options.thread && !isPage()) ? startHere(entry.modules) : inWorker(entry, options);
    const onProgress = options.onProgress && together(options.onProgress, isAddress(model) ? ["wasm", "model"] : ["wasm"]);
    const programs = { cpu: await programOf(cpu), webgpu: await programOf(webgpu) };
    return loadAgent({
      // An entry without WebGPU does not even look for it.
      asked: entry.modules.webgpu ? (options.backend ?? "auto") : "cpu",
      admitSoftware: options.admitSoftware ?? false,
      start,
      store: options.storage ?? defaultStore(),
      options: { model: arriving(modelBytes(model, onProgress, signal)), onProgress, signal },
      wasm: programs,
    });
  };
}

function inWorker(entry: Entry, { worker }: LoadOptions): ReturnType<typeof startIn> {
  if (!worker && !hasWorkers()) {
    throw new ArcherError("usage", 'load: thread is "worker", and there are no workers here.', "Leave thread out: it computes here then.");
  }
  return worker ? startIn(worker) : startIn(entry.makeWorker, entry.workerName);
}

/** A promise that may fail before anybody waits for it; whoever does is told. */
function arriving<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
