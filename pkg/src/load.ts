/** `load`, for an entry of the package. */
import { loadAgent } from "./agent.js";
import { type Modules, startHere } from "./engine.js";
import { ArcherError } from "./errors.js";
import { isAddress, modelBytes, programOf } from "./fetch.js";
import { located } from "./located.js";
import { checked, CREATE, LOAD, type Table, WASM, WASM_ON_CPU } from "./options.js";
import { together } from "./progress.js";
import { startIn } from "./remote.js";
import { hasWorkers, isPage } from "./runtime.js";
import { defaultStore } from "./store.js";
import type { Agent, CreateOptions, LoadOptions, World } from "./types.js";
import { rawGames } from "./world.js";

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
    const { cpu, webgpu, llm } = checked("load.wasm", wasm as Programs | undefined, entry.modules.webgpu ? WASM : WASM_ON_CPU);
    const model = options.model ?? entry.model;
    if (!model) throw new ArcherError("usage", "load was given no model.", 'Pass one: import model from "archer-web/models/quickstart", and load({ model }).');
    signal?.throwIfAborted();
    const start = options.thread === "here" || (!options.thread && !isPage()) ? startHere(entry.modules) : inWorker(entry, options);
    const onProgress = options.onProgress && together(options.onProgress, isAddress(model) ? ["wasm", "model"] : ["wasm"]);
    const programs = { cpu: await programOf(cpu), webgpu: await programOf(webgpu), llm: await programOf(llm) };
    return loadAgent({
      // An entry without WebGPU does not even look for it.
      asked: entry.modules.webgpu ? (options.backend ?? "auto") : "cpu",
      admitSoftware: options.admitSoftware ?? false,
      start,
      world: options.world,
      store: options.storage ?? defaultStore(),
      options: { model: arriving(modelBytes(model, { onProgress, signal, keep: options.keep ?? true })), onProgress, signal },
      wasm: programs,
    });
  };
}

/** The `create` of an entry. */
export function creator(entry: Entry): (options: CreateOptions) => Promise<Agent> {
  return async (given) => {
    const options = checked("create", given, CREATE);
    const { signal, world, wasm, onProgress: tell = () => {} } = options;
    if (!world) throw new ArcherError("usage", "create was given no world.", "Pass what defineWorld gives, or the address of its module.");
    const { cpu } = checked("create.wasm", wasm as Programs | undefined, WASM_ON_CPU);
    signal?.throwIfAborted();
    const start = options.thread === "here" || (!options.thread && !isPage()) ? startHere(entry.modules) : inWorker(entry, options);
    const games = options.demonstrations ?? (world as Partial<World>).demonstrations ?? [];
    const { size = "tiny", seed = 1, algorithm, set = {} } = options;
    const spec = { size, seed, set, demonstrations: rawGames(games), ...(algorithm && { algorithm }) };
    const agent = await loadAgent({
      asked: "cpu",
      admitSoftware: false,
      start,
      store: options.storage ?? defaultStore(),
      options: { model: { world: located(world), spec }, onProgress: together(tell, ["wasm"]), signal },
      wasm: { cpu: await programOf(cpu), webgpu: undefined },
    });
    try {
      await agent.imitate(world, games.length > 0, tell, signal);
    } catch (thrown) {
      await agent.dispose();
      throw thrown;
    }
    return agent;
  };
}

function inWorker(entry: Entry, { worker }: Pick<LoadOptions, "worker">): ReturnType<typeof startIn> {
  if (!worker && !hasWorkers()) {
    throw new ArcherError("usage", 'load: thread is "worker", and there are no workers here.', "Leave thread out: it runs here then.");
  }
  return worker ? startIn(worker) : startIn(entry.makeWorker, entry.workerName);
}

/** A promise that may fail before anybody waits for it; whoever does is told. */
function arriving<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
