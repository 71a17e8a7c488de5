/**
 * The guessing games' own module: fetched once on each thread that plays one, and only there. There are two builds of it: a
 * person may ask in words that no agent uses, and only a page where somebody asks fetches the larger one, which knows them.
 */
import makeGlue from "./wasm/games-glue.js";
import type { WasmGames } from "./wasm/archer-games.js";
import { ArcherError, asArcherError, isFault, isOutOfMemory, messageOf } from "./errors.js";
import { compile } from "./fetch.js";
import { located, textCoders } from "./runtime.js";
import type { WorldHost } from "./world.js";

interface Glue {
  default(options: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  WasmGames: new (settings: string) => WasmGames;
  panicked(): boolean;
}

const BUILDS = {
  playing: () => located("archer-games_bg.wasm", () => new URL("./archer-games_bg.wasm", import.meta.url)),
  hearing: () => located("archer-hearing_bg.wasm", () => new URL("./archer-hearing_bg.wasm", import.meta.url)),
};
type Build = keyof typeof BUILDS;

const loading = new Map<Build, Promise<Program>>();

/** Makes a build of the module ready on this thread. */
function ready(build: Build): Promise<Program> {
  let program = loading.get(build);
  if (!program) {
    program = start(build).catch((thrown: unknown) => {
      loading.delete(build);
      throw thrown;
    });
    loading.set(build, program);
  }
  return program;
}

async function start(build: Build): Promise<Program> {
  const module = await compile(BUILDS[build](), undefined);
  const { TextDecoder: Decoder, TextEncoder: Encoder } = textCoders();
  const glue = makeGlue(WebAssembly, Decoder, Encoder) as Glue;
  try {
    await glue.default({ module_or_path: module });
  } catch (thrown) {
    throw trapOf(thrown, false) ?? thrown;
  }
  return new Program(glue, build);
}

/** One instance of the module. After a trap nothing enters it again, and the next game is played in another one. */
class Program {
  private trap: ArcherError | null = null;

  constructor(
    readonly glue: Glue,
    private readonly build: Build,
  ) {}

  get isDead(): boolean {
    return this.trap !== null;
  }

  /** Does something in the instance; throws an `ArcherError` where the instance throws. */
  run<T>(act: () => T): T {
    if (this.trap) throw this.trap;
    try {
      return act();
    } catch (thrown) {
      this.trap = trapOf(thrown, this.panicked());
      if (!this.trap) throw explained(thrown);
      loading.delete(this.build);
      throw this.trap;
    }
  }

  private panicked(): boolean {
    try {
      return this.glue.panicked();
    } catch {
      return false;
    }
  }
}

/** The games of one world, on this thread. */
export class GamesModule {
  private constructor(
    private readonly program: Program,
    private readonly wasm: WasmGames,
    private readonly settings: unknown,
  ) {}

  static async of(settings: unknown, build: Build = "playing"): Promise<GamesModule> {
    const program = await ready(build);
    const wasm = program.run(() => new program.glue.WasmGames(JSON.stringify(settings)));
    return new GamesModule(program, wasm, settings);
  }

  /** Whether its instance has trapped, so that every call throws. */
  get isDead(): boolean {
    return this.program.isDead;
  }

  call<T>(request: { method: string; [parameter: string]: unknown }): T {
    return JSON.parse(this.program.run(() => this.wasm.call(JSON.stringify(request)))) as T;
  }

  /** Who answers for this world to a learner on this thread. Its settings stay as they were given: with all keys they would be those of another world. */
  host(): WorldHost {
    const { about, trainsApart } = this.call<{ about: { name: string; max_turns: number }; trainsApart: boolean }>({ method: "info" });
    return {
      declared: { ...about, settings: this.settings as object, teaches: true, trainsApart },
      ask: (message) => this.program.run(() => this.wasm.ask(message)),
      teach: (lesson) => this.program.run(() => this.wasm.teach(lesson)),
    };
  }
}

/** What a trap means; null of anything else. */
function trapOf(thrown: unknown, panicked: boolean): ArcherError | null {
  const options = { cause: thrown };
  if (panicked) return new ArcherError("internal", "The rules of the game failed.", undefined, options);
  if (!isOutOfMemory(thrown)) return null;
  return new ArcherError("out-of-memory", `There was not enough memory for the game (${messageOf(thrown)}).`, undefined, options);
}

/** Faults are thrown as JSON. */
function explained(thrown: unknown): unknown {
  if (typeof thrown !== "string") return thrown;
  const fault: unknown = JSON.parse(thrown);
  return isFault(fault) ? asArcherError(fault) : thrown;
}
