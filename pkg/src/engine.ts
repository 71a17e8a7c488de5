/**
 * A loaded wasm module with one model in it, on the thread that it is called on. `remote.ts` has the
 * same interface for one in a worker, so that whoever uses an engine cannot tell which it is.
 */
import * as cpu from "./wasm/archer-cpu.js";
import * as webgpu from "./wasm/archer-webgpu.js";
import { ArcherError, asArcherError, isFault } from "./errors.js";
import { compile } from "./fetch.js";
import { CallControl } from "./call-control.js";
import type { Backend, LoadProgress } from "./types.js";

/** A request to the core by its name there, with its parameters. */
export interface Request {
  method: string;
  [parameter: string]: unknown;
}

export interface StartOptions {
  backend: Backend;
  model: Uint8Array;
  /** Where the module is; left out: beside this file. */
  wasm?: string | undefined;
  onProgress?: ((progress: LoadProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface Engine {
  /** Answers a request; `undefined` where its control cancelled it. Calls may overlap, except those that change the model. */
  call(request: Request, hear?: (text: string) => void, control?: CallControl): Promise<unknown>;
  export(training: boolean): Promise<Uint8Array>;
  import(file: Uint8Array): Promise<unknown>;
  /** Why the graphics device went away, if it has. */
  lost(): Promise<string | null>;
  close(): void;
}

/** Starts an engine. */
export type Start = (options: StartOptions) => Promise<Engine>;

/** What the two modules have in common; what they need inside differs. */
interface Glue {
  default: (options: { module_or_path: WebAssembly.Module }) => Promise<unknown>;
  WasmSession: { load(file: Uint8Array): Promise<WasmSession> };
  deviceLost(): string | undefined;
  lastPanic(): string;
}

type WasmSession = cpu.WasmSession;

const MODULES: Record<Backend, { glue: Glue; url: URL }> = {
  cpu: { glue: cpu, url: new URL("./archer-cpu_bg.wasm", import.meta.url) },
  webgpu: { glue: webgpu, url: new URL("./archer-webgpu_bg.wasm", import.meta.url) },
};

/** Starts an engine on this thread. */
export const startHere: Start = async ({ backend, model, wasm, onProgress, signal }) => {
  const { glue, url } = MODULES[backend];
  const module = await compile(wasm ?? url, onProgress, signal);
  await glue.default({ module_or_path: module });
  onProgress?.({ stage: "check", loaded: 0, total: null, message: "The model checks its own example." });
  try {
    return new LocalEngine(glue, await glue.WasmSession.load(model));
  } catch (thrown) {
    throw explain(glue, thrown);
  }
};

class LocalEngine implements Engine {
  private underWay = 0;
  private closed = false;

  constructor(
    private readonly glue: Glue,
    private readonly door: WasmSession,
  ) {}

  call(request: Request, hear?: (text: string) => void, control = new CallControl()): Promise<unknown> {
    return this.guarded(() => this.door.call(request, hear, control.rest)).finally(() => control.paused());
  }

  export(training: boolean): Promise<Uint8Array> {
    return this.guarded(() => this.door.export(training));
  }

  import(file: Uint8Array): Promise<unknown> {
    return this.guarded(() => this.door.import(file));
  }

  async lost(): Promise<string | null> {
    return this.glue.deviceLost() ?? null;
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
      return await act();
    } catch (thrown) {
      throw explain(this.glue, thrown);
    } finally {
      this.underWay -= 1;
      this.free();
    }
  }
}

/** What the core threw, or what a trap in it means. */
function explain(glue: Glue, thrown: unknown): ArcherError {
  if (isFault(thrown)) return asArcherError(thrown);
  const lost = glue.deviceLost();
  if (lost) return new ArcherError("device-lost", `The graphics device went away: ${lost}`);
  const panic = glue.lastPanic();
  if (panic) return new ArcherError("internal", panic, undefined, { cause: thrown });
  // Rust ends a program that gets no memory without a word.
  if (thrown instanceof WebAssembly.RuntimeError || thrown instanceof RangeError) {
    return new ArcherError("out-of-memory", `There was not enough memory: ${thrown.message}`, undefined, { cause: thrown });
  }
  return asArcherError(thrown);
}
