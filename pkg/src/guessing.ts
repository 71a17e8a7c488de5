/** The guessing game that an agent plays: the games' module beside the agent, looked at again where its world changes. */
import { Hosted, PlayedGame, type Table } from "./games.js";
import { GamesModule } from "./games-module.js";
import type { Game, GameOptions, GamesInfo, HostedGame, HostOptions, WorldChange } from "./games-types.js";
import { ArcherError } from "./errors.js";
import type { Ask } from "./talk.js";
import type { BuiltIn, ModelInfo } from "./types.js";

/** The worlds that the module has. */
const NAMES = ["twenty_questions", "guess_my_city", "bandit", "recall"];

/** The name of these worlds among the package's own. */
const GAMES = "games";

interface RawInfo extends Omit<GamesInfo, "optimumReturn" | "worstReturn"> {
  guesses: string[];
  about: { best: number | null; worst: number | null };
}

/** Whether the world of these settings is one of the module's. A file of before names none: that is Twenty Questions. */
export function isGuessing({ world, settings }: Pick<ModelInfo, "world" | "settings">): boolean {
  return NAMES.includes(world) || (world === "unknown" && !("name" in settings));
}

export class Guessing {
  private readonly table: Table;
  private readonly raw: RawInfo;

  private constructor(
    private readonly module: GamesModule,
    private readonly model: () => ModelInfo,
    ask: Ask,
    /** The settings, as the model's file has them. */
    readonly settings: string,
  ) {
    this.raw = module.call<RawInfo>({ method: "info" });
    this.table = {
      ask,
      module: () => this.module,
      retries: () => this.model().retries,
      guesses: () => this.raw.guesses,
    };
  }

  static async of(model: () => ModelInfo, ask: Ask): Promise<Guessing> {
    const { settings } = model();
    return new Guessing(await GamesModule.of(settings), model, ask, JSON.stringify(settings));
  }

  get info(): GamesInfo {
    const { things, maxTurns, sometimes, about } = this.raw;
    return { things, maxTurns, sometimes, optimumReturn: about.best, worstReturn: about.worst };
  }

  play({ seed = 1, turns = [] }: GameOptions): Game {
    const past = turns.map(({ question, answer, forced = false }) => ({ question, answer, forced }));
    return new PlayedGame(this.table, { seed, turns: past });
  }

  host({ seed = drawSeed(), thing }: HostOptions): HostedGame {
    return new Hosted(this.table, { seed, thing: thing ?? null });
  }

  /** The world with a change, and whether it has utterances that a model of before never says. */
  changed(change: WorldChange | undefined): { world: BuiltIn; news: boolean } {
    const settings = change
      ? this.module.call<Record<string, unknown>>({ method: "changed", change })
      : (JSON.parse(this.settings) as Record<string, unknown>);
    const { extra } = settings;
    return { world: { builtIn: GAMES, settings }, news: Array.isArray(extra) && extra.length > 0 };
  }
}

/** What a model of another world answers. */
export function noGame(world: string): ArcherError {
  const message = `This model plays ${world}, a world in which a person has nothing to answer.`;
  return new ArcherError("usage", message, "Load a model that plays twenty_questions, or call agent.start() to talk with this one.");
}

function drawSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 1;
}
