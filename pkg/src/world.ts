/**
 * Worlds in JavaScript: what a user writes, held to the rules of the contract, and the messages by which a learner
 * plays it. The same messages as a world in a process of the terminal speaks, so one file serves both.
 */
import { ArcherError } from "./errors.js";
import type { Opening, Played, RecordedGame, World, WorldDefinition } from "./types.js";

/** What a learner must know of a world before its first game, as the core reads it. */
export interface Declared {
  name: string;
  max_turns: number;
  [key: string]: unknown;
}

/** Answers the messages of a learner. */
export interface WorldHost {
  readonly declared: Declared;
  /** The answer to a message, both as JSON. */
  ask(message: string): string | Promise<string>;
  /** The answer to a lesson, both as JSON, at once. */
  teach?(lesson: string): string;
}

/** Milliseconds for which a world is waited for, unless it says otherwise. */
const TIME_LIMIT = 30_000;

const KEYS = [
  "name", "maxTurns", "start", "act", "choices", "memory", "oneLine", "tasks", "best", "worst", "turn", "demonstrations",
  "timeLimit", "settings",
];
const ENDS: unknown[] = [null, undefined, "won", "over", "cut"];

/** Checks a definition and marks it as a world. */
export function defineWorld<S = unknown>(definition: WorldDefinition<S>): World<S> {
  const wrong = (what: string) => new ArcherError("usage", `defineWorld: ${what}`, "Compare it with WorldDefinition in the package's types.");
  if (typeof definition !== "object" || definition === null) throw wrong("it takes an object with name, maxTurns, start and act.");
  const unknown = Object.keys(definition).find((key) => !KEYS.includes(key));
  if (unknown) throw wrong(`there is no ${unknown}; there are ${KEYS.join(", ")}.`);
  const { name, maxTurns, start, act } = definition;
  if (typeof name !== "string" || !/^\S+$/.test(name)) throw wrong("name is one word, such as \"door\".");
  if (!Number.isInteger(maxTurns) || maxTurns < 1 || maxTurns > 10_000) throw wrong("maxTurns is a whole number from 1 to 10000.");
  for (const [key, value] of Object.entries({ start, act })) {
    if (typeof value !== "function") throw wrong(`${key} is a function.`);
  }
  return Object.freeze({ ...definition });
}

/** Who answers for a world on this thread. */
export function hostOf(world: World<unknown>): WorldHost {
  return new Host(defineWorld(world));
}

interface Game {
  state: unknown;
  turns: number;
  over: boolean;
}

type Message =
  | { cmd: "start"; game: number; seed: number; task?: number | null; training?: number }
  | { cmd: "act"; game: number; said: string }
  | { cmd: "close"; game: number };

class Host implements WorldHost {
  readonly declared: Declared;
  private readonly games = new Map<number, Game>();

  constructor(private readonly world: World<unknown>) {
    const { name, maxTurns, memory = null, oneLine = false, tasks = null, best = null, worst = null, turn, settings } = world;
    const style = oneLine ? { after_utterance: " ", after_reply: "\n" } : { after_utterance: "\n", after_reply: "\n" };
    this.declared = {
      name, max_turns: maxTurns, memory, style, tasks, best, worst,
      ...(turn && { turn }), ...(settings && { settings: { name, ...settings } }),
    };
  }

  async ask(message: string): Promise<string> {
    const { of } = JSON.parse(message) as { of: Message[] };
    return JSON.stringify({ of: await Promise.all(of.map((one) => this.one(one))) });
  }

  private async one(message: Message): Promise<unknown> {
    const { game } = message;
    switch (message.cmd) {
      case "close":
        this.games.delete(game);
        return { game };
      case "start": {
        const { seed, task = null, training } = message;
        const opening = await this.limited("start", () => this.world.start({ seed: whole(seed), task, ...(training !== undefined && { training }) }));
        return { game, ...this.started(game, opening) };
      }
      case "act": {
        const known = this.games.get(game);
        if (!known || known.over) throw this.broken("act was called for a game that is not being played", "");
        const turn = await this.limited("act", () => this.world.act(known.state, message.said));
        return { game, ...this.acted(known, turn) };
      }
    }
  }

  private started(game: number, opening: Opening): object {
    if (typeof opening !== "object" || opening === null) throw this.broken("start gives an object with text", `it gave ${shown(opening)}`);
    const { text, choices = null, state, task } = opening;
    if (typeof text !== "string" || text === "") throw this.broken("start gives text, which is not empty", `text was ${shown(text)}`);
    this.games.set(game, { state, turns: 0, over: false });
    return { text: ended(text), choices: this.listed(choices), ...(task !== undefined && { task }) };
  }

  private acted(game: Game, turn: Played): object {
    if (typeof turn !== "object" || turn === null) throw this.broken("act gives an object with reply, reward and end", `it gave ${shown(turn)}`);
    const { reply = "", reward, end = null, invalid = false, choices = null } = turn;
    game.turns += 1;
    if (typeof reply !== "string") throw this.broken("a reply is text", `it was ${shown(reply)}`);
    if (typeof reward !== "number" || !Number.isFinite(reward)) throw this.broken("a reward is a finite number", `it was ${shown(reward)}`);
    if (!ENDS.includes(end)) throw this.broken('end is null, "won", "over" or "cut"', `it was ${shown(end)}`);
    // A game that has had its turns is cut: a world need not count them itself.
    const last = end ?? (game.turns >= this.world.maxTurns ? "cut" : null);
    game.over = last !== null;
    if ("state" in turn) game.state = turn.state;
    return { reply: reply.replace(/\n+$/, ""), reward, end: last, invalid, choices: last ? null : this.listed(choices) };
  }

  private listed(choices: readonly string[] | null): readonly string[] | null {
    if (choices === null) {
      if (this.world.choices) throw this.broken("a world with choices: true lists what can be said at every turn", "it listed nothing");
      return null;
    }
    if (!Array.isArray(choices) || !choices.every((choice) => typeof choice === "string")) {
      throw this.broken("choices are an array of texts", `they were ${shown(choices)}`);
    }
    return choices;
  }

  /** Calls the world, which may take so long and no longer. */
  private async limited<T>(name: string, call: () => T | Promise<T>): Promise<T> {
    let made: T | Promise<T>;
    try {
      made = call();
    } catch (thrown) {
      throw this.threw(name, thrown);
    }
    if (!(made instanceof Promise)) return made;
    const limit = this.world.timeLimit ?? TIME_LIMIT;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.broken(`${name} answers within ${limit / 1000} s`, "it did not")), limit);
    });
    try {
      return await Promise.race([made.catch((thrown: unknown) => Promise.reject(this.threw(name, thrown))), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  private threw(name: string, thrown: unknown): ArcherError {
    if (thrown instanceof ArcherError) return thrown;
    const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
    return new ArcherError("world", `The world ${this.world.name} threw in ${name}: ${message}`, undefined, { cause: thrown });
  }

  private broken(rule: string, seen: string): ArcherError {
    return new ArcherError("world", `The world ${this.world.name} broke a rule: ${rule}${seen && `; ${seen}`}.`);
  }
}

/** A seed of 64 bits as a whole number that JavaScript holds: of the 53 bits that are left of it, none is always 0. */
function whole(seed: number): number {
  return seed > Number.MAX_SAFE_INTEGER ? Math.floor(seed / 2048) : seed;
}

/** A text with the end of line that closes it. */
function ended(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

/** A value, for a message. */
function shown(value: unknown): string {
  if (typeof value === "function") return "a function";
  const text = typeof value === "number" || value === undefined ? String(value) : JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Games as the core reads them. */
export function rawGames(games: readonly RecordedGame[]): unknown[] {
  return games.map(({ opening, choices = null, turns, end = null, task }) => ({
    opening: ended(opening),
    ...(choices && { choices }),
    turns: turns.map(({ said, reply = "", reward = 0, choices: next = null, imitate = true }) => ({
      said, reply, reward, imitate, ...(next && { choices: next }),
    })),
    end,
    ...(task !== undefined && { task }),
  }));
}
