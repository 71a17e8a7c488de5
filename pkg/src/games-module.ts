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
    private readonly given: unknown,
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

  /** Who answers for this world to a learner on this thread. */
  host(): WorldHost {
    const { about, settings, trainsApart } = this.call<{ about: { name: string; max_turns: number }; settings: object; trainsApart: boolean }>({ method: "info" });
    // In the words of the model's file: with what they leave out it would be another world to the core.
    const named = typeof this.given === "object" && this.given !== null && "name" in this.given;
    return {
      declared: { ...about, settings: named ? this.given : settings, teaches: true, trainsApart },
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
