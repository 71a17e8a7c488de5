/** The guessing game that an agent plays: the games' module beside the agent. */
import { Hosted, PlayedGame, type Table } from "./games.js";
import { GamesModule } from "./games-module.js";
import type { Game, GameOptions, GamesInfo, HostedGame, HostOptions, WorldChange } from "./games-types.js";
import { ArcherError } from "./errors.js";
import type { Agent, BuiltIn, ModelInfo } from "./types.js";

/** The worlds that the module has. */
const NAMES = ["twenty_questions", "guess_my_city", "bandit", "recall"];

/** The name of these worlds among the package's own. */
const GAMES = "games";

interface RawInfo extends Omit<GamesInfo, "named" | "optimumReturn" | "worstReturn"> {
  guesses: string[];
  about: { best: number | null; worst: number | null };
}

/** Whether the world of these settings is one of the module's. A file of before names none: that is Twenty Questions. */
function isGuessing({ world, settings }: Pick<ModelInfo, "world" | "settings">): boolean {
  return NAMES.includes(world) || (world === "unknown" && !("name" in settings));
}

/** The game of each agent, as its world was when it was last looked at. */
const known = new WeakMap<Agent, { settings: string; guessing: Promise<Guessing> }>();

export class Guessing {
  private readonly raw: RawInfo;
  /** The same games where a person asks. */
  private hearing: Promise<GamesModule> | null = null;

  private constructor(
    private readonly module: GamesModule,
    private readonly settings: unknown,
  ) {
    this.raw = module.call<RawInfo>({ method: "info" });
  }

  /** The game that the agent plays now. */
  static async of(agent: Agent): Promise<Guessing> {
    const own = settingsOf(agent);
    const settings = JSON.stringify(own);
    const last = known.get(agent);
    if (last?.settings === settings && !(await last.guessing).isDead) return last.guessing;
    const guessing = GamesModule.of(own).then((module) => new Guessing(module, own));
    known.set(agent, { settings, guessing });
    // What could not be fetched may be there at the next try.
    guessing.catch(() => known.delete(agent));
    return guessing;
  }

  /** Whether its module has trapped, so that another one must be made. */
  get isDead(): boolean {
    return this.module.isDead;
  }

  get info(): GamesInfo {
    const { things, guesses, maxTurns, sometimes, about } = this.raw;
    const named = things.map((thing, i) => /^Is it (.+)\?$/.exec(guesses[i] ?? "")?.[1] ?? thing);
    return { things, named, maxTurns, sometimes, optimumReturn: about.best, worstReturn: about.worst };
  }

  play(agent: Agent, { seed = 1, turns = [] }: GameOptions): Game {
    const past = turns.map(({ question, answer, forced = false }) => ({ question, answer, forced }));
    const table: Table = { agent, module: this.module, guesses: this.raw.guesses };
    return new PlayedGame(table, { seed, turns: past });
  }

  async host({ seed = drawSeed(), thing }: HostOptions): Promise<HostedGame> {
    if ((await this.hearing?.catch(() => null))?.isDead ?? true) this.hearing = GamesModule.of(this.settings, "hearing");
    return new Hosted(await (this.hearing as Promise<GamesModule>), { seed, thing: thing ?? null });
  }

  /** The settings of the world with a change. */
  changed(change: WorldChange): Record<string, unknown> {
    return this.module.call<Record<string, unknown>>({ method: "changed", change });
  }
}

/**
 * The world that an agent plays in, or that with a change. Where that brings utterances that a model of before never
 * says, it asks for them to be taught.
 */
export async function guessingWorld(agent: Agent, change: WorldChange | undefined): Promise<BuiltIn> {
  // Unchanged, the settings stay those of the model: with all keys it would be another world. Nor is the module made
  // here then, which takes a quarter of a second: where the agent computes in a worker, only the worker plays.
  const settings = change ? (await Guessing.of(agent)).changed(change) : settingsOf(agent);
  const { extra } = settings;
  return {
    builtIn: GAMES,
    settings,
    teachWinning: Array.isArray(extra) && extra.length > 0,
    host: async () => (await GamesModule.of(settings)).host(),
  };
}

/** The settings of the game that an agent plays, as its model has them. */
function settingsOf({ info }: Agent): Record<string, unknown> {
  if (isGuessing(info)) return info.settings;
  const message = `This model plays ${info.world}, a world in which a person has nothing to answer.`;
  throw new ArcherError("usage", message, "Load a model that plays twenty_questions, or call agent.start() to talk with this one.");
}

function drawSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 1;
}
