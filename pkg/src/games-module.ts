/** The guessing games' own module: fetched once on each thread that plays one, and only there. */
import makeGlue from "./wasm/games-glue.js";
import type { WasmGames } from "./wasm/archer-games.js";
import { asArcherError, isFault } from "./errors.js";
import { compile } from "./fetch.js";
import { located, textCoders } from "./runtime.js";
import type { WorldHost } from "./world.js";

interface Glue {
  default(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  WasmGames: new (settings: string) => WasmGames;
}

let loading: Promise<Glue> | null = null;

/** Makes the module ready on this thread. */
function ready(): Promise<Glue> {
  loading ??= start().catch((thrown: unknown) => {
    loading = null;
    throw thrown;
  });
  return loading;
}

async function start(): Promise<Glue> {
  const place = located("archer-games_bg.wasm", () => new URL("./archer-games_bg.wasm", import.meta.url));
  const module = await compile(place, undefined);
  const { TextDecoder: Decoder, TextEncoder: Encoder } = textCoders();
  const glue = makeGlue(WebAssembly, Decoder, Encoder) as Glue;
  await glue.default({ module_or_path: module });
  return glue;
}

/** The games of one world, on this thread. */
export class GamesModule {
  private constructor(
    private readonly wasm: WasmGames,
    private readonly settings: unknown,
  ) {}

  static async of(settings: unknown): Promise<GamesModule> {
    const glue = await ready();
    try {
      return new GamesModule(new glue.WasmGames(JSON.stringify(settings)), settings);
    } catch (thrown) {
      throw explained(thrown);
    }
  }

  call<T>(request: { method: string; [parameter: string]: unknown }): T {
    try {
      return JSON.parse(this.wasm.call(JSON.stringify(request))) as T;
    } catch (thrown) {
      throw explained(thrown);
    }
  }

  /** Who answers for this world to a learner on this thread. Its settings stay as they were given: with all keys they would be those of another world. */
  host(): WorldHost {
    const { about, trainsApart } = this.call<{ about: { name: string; max_turns: number }; trainsApart: boolean }>({ method: "info" });
    return {
      declared: { ...about, settings: this.settings as object, teaches: true, trainsApart },
      ask: (message) => this.wasm.ask(message),
      teach: (lesson) => this.wasm.teach(lesson),
    };
  }

  free(): void {
    this.wasm.free();
  }
}

/** Faults are thrown as JSON. */
function explained(thrown: unknown): unknown {
  if (typeof thrown !== "string") return thrown;
  const fault: unknown = JSON.parse(thrown);
  return isFault(fault) ? asArcherError(fault) : thrown;
}
