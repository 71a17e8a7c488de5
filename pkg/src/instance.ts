/**
 * One instance of a wasm module, with glue of its own, so that a load never meets what an earlier one left behind.
 *
 * A trap (a panic, or no memory) leaves an instance useless, and it often happens in a microtask of the module's
 * own, past every `try` of whoever waits. So every way into the instance is watched here: after a trap nothing
 * enters it again, and all that is under way in it is rejected.
 */
import { ArcherError, asArcherError, firstLine, isFault, isOutOfMemory, messageOf } from "./errors.js";
import { textCoders } from "./runtime.js";
import type { WasmSession } from "./wasm/archer-cpu.js";

/** What the two modules have in common; what they need inside differs. */
export interface Glue {
  default(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  WasmSession: { load(file: Uint8Array): Promise<WasmSession>; create(spec: string): Promise<WasmSession> };
  registerWorld(declared: string, ask: (message: string) => unknown, teach: ((lesson: string) => unknown) | undefined): number;
  deviceLost(): string | undefined;
  lastPanic(): string;
}

/** Makes glue, which takes these from its arguments; scripts/build.js makes such functions of wasm-bindgen's glue. */
export type MakeGlue = (webAssembly: typeof WebAssembly, decoder: typeof TextDecoder, encoder: typeof TextEncoder) => unknown;

/** What an instance that is no more gives back: the glue takes several numbers out of some results. */
const NOTHING: readonly number[] = Object.freeze([0, 0, 0, 0]);

export class Instance {
  private readonly pending = new Set<(error: ArcherError) => void>();
  private trap: ArcherError | null = null;
  /** Calls into the module that are on the stack now. */
  private depth = 0;
  private state: "alive" | "dying" | "dead" = "alive";
  readonly glue: Glue;

  private constructor(make: MakeGlue) {
    const { TextDecoder: Decoder, TextEncoder: Encoder } = textCoders();
    this.glue = make(this.webAssembly(), Decoder, Encoder) as Glue;
  }

  /** Instantiates a module. */
  static async of(make: MakeGlue, module: WebAssembly.Module): Promise<Instance> {
    const instance = new Instance(make);
    await instance.during(() => instance.glue.default({ module_or_path: module }));
    return instance;
  }

  /** Does something in the instance; rejects with an `ArcherError`, at once where anything traps meanwhile. */
  during<T>(act: () => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.trap) return reject(this.trap);
      this.pending.add(reject);
      const over = () => this.pending.delete(reject);
      const failed = (thrown: unknown) => {
        over();
        reject(this.trap ?? this.explain(thrown));
      };
      try {
        act().then((value) => {
          over();
          resolve(value);
        }, failed);
      } catch (thrown) {
        failed(thrown);
      }
    });
  }

  /** Why the graphics device went away, if it has. */
  deviceLost(): string | null {
    return this.asked(() => this.glue.deviceLost()) ?? null;
  }

  /** WebAssembly whose instances are watched. */
  private webAssembly(): typeof WebAssembly {
    const watched = Object.create(WebAssembly) as typeof WebAssembly;
    const instantiate = async (module: WebAssembly.Module, imports: WebAssembly.Imports) => {
      const { exports } = await WebAssembly.instantiate(module, imports);
      return { instance: { exports: this.watch(exports) }, module };
    };
    Object.defineProperty(watched, "instantiate", { value: instantiate });
    return watched;
  }

  private watch(exports: WebAssembly.Exports): WebAssembly.Exports {
    const ways = Object.entries(exports).map(([name, value]) => [name, typeof value === "function" ? this.enter(value) : value]);
    return Object.fromEntries(ways) as WebAssembly.Exports;
  }

  private enter(way: Function): (...values: unknown[]) => unknown {
    return (...values) => {
      if (this.state === "dead") return NOTHING;
      this.depth += 1;
      try {
        return way(...values);
      } catch (thrown) {
        // Code of the module that is still on the stack must not go on.
        if (this.depth > 1 || this.state === "dying") throw thrown;
        this.die(thrown);
        return NOTHING;
      } finally {
        this.depth -= 1;
      }
    };
  }

  private die(thrown: unknown): void {
    this.state = "dying";
    this.trap = this.explain(thrown);
    this.state = "dead";
    for (const reject of this.pending) reject(this.trap);
    this.pending.clear();
  }

  /** What the core threw, or what a trap in it means. */
  private explain(thrown: unknown): ArcherError {
    if (thrown instanceof ArcherError || isFault(thrown)) return asArcherError(thrown);
    const lost = this.deviceLost();
    if (lost) return new ArcherError("device-lost", `The graphics device went away: ${firstLine(lost)}`, undefined, { cause: thrown });
    const panic = this.asked(() => this.glue.lastPanic());
    if (panic) return new ArcherError("internal", panicSentence(panic), undefined, { cause: thrown });
    if (isOutOfMemory(thrown)) {
      return new ArcherError("out-of-memory", `There was not enough memory (${messageOf(thrown)}).`, undefined, { cause: thrown });
    }
    return asArcherError(thrown);
  }

  /** What the module says of itself, if it still can. */
  private asked(ask: () => string | undefined): string | undefined {
    if (this.state === "dead") return undefined;
    try {
      return ask();
    } catch {
      return undefined;
    }
  }
}

/** What a panic says begins with where it was. */
function panicSentence(panic: string): string {
  const [, place, what] = panic.match(/^panicked at (\S+):\n([^]*)$/) ?? [];
  return place ? `${what} (${place}).` : panic;
}
