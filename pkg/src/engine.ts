/**
 * A loaded wasm module with one model in it, on the thread that it is called on. `remote.ts` has the
 * same interface for one in a worker, so that whoever uses an engine cannot tell which it is.
 */
import { CallControl } from "./call-control.js";
import { ArcherError } from "./errors.js";
import { compile, type Program } from "./fetch.js";
import { Instance, type MakeGlue } from "./instance.js";
import { hostFor, type Located } from "./located.js";
import { bytesOfFile, isLanguageModel, isModelFile, type ModelFile } from "./model-file.js";
import type { RawProgress } from "./progress.js";
import { withoutBase } from "./sections.js";
import type { Backend } from "./types.js";
import type { WasmSession } from "./wasm/archer-cpu.js";

/** A request to the core by its name there, with its parameters. */
export interface Request {
  method: string;
  [parameter: string]: unknown;
}

/** What an engine begins with: a model file, or an agent that is to be made for a world. */
export type Beginning = ModelFile | { world: Located; spec: object };

export interface StartOptions {
  backend: Backend;
  /** The model file, which may still be on its way: the program is fetched at the same time. */
  model: Beginning | Promise<Beginning>;
  /** The module, or where it is; left out: in the package. */
  wasm?: Program | undefined;
  /** The module for language models likewise, which is fetched where the model is one. */
  llm?: Program | undefined;
  onProgress?: ((progress: RawProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface Engine {
  /** Answers a request; `undefined` where its control cancelled it. Calls may overlap, except those that change the model. */
  call(request: Request, hear?: (text: string) => void, control?: CallControl): Promise<unknown>;
  /** The model file; `base`: with the frozen model under its adapters. */
  export(training: boolean, base?: boolean): Promise<Uint8Array>;
  import(file: ModelFile): Promise<unknown>;
  /** Makes a world known, and gives the number by which requests name it. */
  world(place: Located): Promise<number>;
  /** Why the graphics device went away, if it has. */
  lost(): Promise<string | null>;
  close(): void;
}

/** Starts an engine. */
export type Start = (options: StartOptions) => Promise<Engine>;

/** The modules that an entry of the package has: one for each backend, and the one for language models. */
export type Modules = Readonly<Partial<Record<Backend | "llm", { make: MakeGlue; url: URL }>>>;

/** A program that is there and waits for a model. */
export type Begin = (model: Beginning, onProgress: StartOptions["onProgress"]) => Promise<Engine>;

/** Fetches and compiles the program of a backend. */
export async function prepare(modules: Modules, { backend, wasm, llm, onProgress, signal }: Omit<StartOptions, "model">): Promise<Begin> {
  const module = modules[backend];
  if (!module) throw new ArcherError("no-webgpu", "The module for WebGPU is not in archer-web/cpu.", 'Import "archer-web" instead.');
  const program = await compile(wasm ?? module.url, onProgress, signal);
  return async (model, hear) => {
    const other = isModelFile(model) && (await isLanguageModel(model)) ? languageModule(modules) : null;
    const instance = await Instance.of((other ?? module).make, other ? await compile(llm ?? other.url, hear, signal) : program);
    const { WasmSession } = instance.glue;
    if (isModelFile(model)) {
      hear?.({ stage: "check" });
      // Nobody here holds the bytes once the instance has its copy.
      return new LocalEngine(instance, await instance.during(async () => WasmSession.load(await bytesOfFile(model))));
    }
    const world = await register(instance, model.world);
    const spec = JSON.stringify({ ...model.spec, world });
    return new LocalEngine(instance, await instance.during(() => WasmSession.create(spec)));
  };
}

/** The module that computes language models, which are of other layouts and weights than the small modules know. */
function languageModule(modules: Modules): NonNullable<Modules["llm"]> {
  if (modules.llm) return modules.llm;
  throw new ArcherError("bad-model", "The file holds a language model, whose module is not in archer-web/cpu.", 'Import "archer-web" instead.');
}

/** Makes a world known to an instance. */
async function register(instance: Instance, place: Located): Promise<number> {
  const host = await hostFor(place);
  const teach = host.teach && ((lesson: string) => host.teach?.(lesson));
  return instance.during(async () => instance.glue.registerWorld(JSON.stringify(host.declared), (message) => host.ask(message), teach));
}

/** Starts engines on this thread. */
export function startHere(modules: Modules): Start {
  return async ({ model, ...options }) => {
    const [begin, file] = await Promise.all([prepare(modules, options), model]);
    options.signal?.throwIfAborted();
    return begin(file, options.onProgress);
  };
}

class LocalEngine implements Engine {
  private underWay = 0;
  private closed = false;

  constructor(
    private readonly instance: Instance,
    private readonly door: WasmSession,
  ) {}

  call(request: Request, hear?: (text: string) => void, control = new CallControl()): Promise<unknown> {
    return this.guarded(() => this.door.call(JSON.stringify(request), hear, control.rest)).finally(() => control.paused());
  }

  async export(training: boolean, base = true): Promise<Uint8Array> {
    const file = await this.guarded(() => this.door.export(training));
    // Here, so that the model does not go on to another thread.
    return base ? file : withoutBase(file);
  }

  import(file: ModelFile): Promise<unknown> {
    return this.guarded(async () => this.door.import(await bytesOfFile(file)));
  }

  world(place: Located): Promise<number> {
    return this.guarded(() => register(this.instance, place));
  }

  async lost(): Promise<string | null> {
    return this.instance.deviceLost();
  }

  close(): void {
    this.closed = true;
    this.free();
  }

  /** Frees the module's memory once nothing computes in it any more. */
  private free(): void {
    if (this.closed && this.underWay === 0) this.door.free();
  }

  private async guarded<T>(act: () => Promise<T>): Promise<T> {
    if (this.closed) throw new ArcherError("disposed", "The agent was disposed of.");
    this.underWay += 1;
    try {
      return await this.instance.during(act);
    } finally {
      this.underWay -= 1;
      this.free();
    }
  }
}
