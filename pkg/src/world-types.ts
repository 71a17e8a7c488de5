/** Types of worlds: what a user writes, and games that were played in one. */

import type { PlatformURL } from "./platform.js";

/** What a player reads first. */
export interface Opening<S = unknown> {
  /** The text; an end of line closes it. */
  text: string;
  /** What can be said first, where the world lists it: the agent then says one of these. */
  choices?: readonly string[] | null;
  /** Whatever the world must know of the game; it is handed to the next `act`. */
  state?: S;
  /** The number of the task, where tasks have numbers. */
  task?: number;
}

/** What an utterance brought about. */
export interface Played<S = unknown> {
  /** What the world says back; default nothing. */
  reply?: string;
  /** The reward of the utterance; a finite number. */
  reward: number;
  /** How the game ended: `won`, `over` (otherwise), `cut` (by a limit), or `null` while it goes on. After `maxTurns` turns it is cut in any case. */
  end?: "won" | "over" | "cut" | null;
  /** Whether the world could not read the utterance. */
  invalid?: boolean;
  /** What can be said next, where the world lists it. */
  choices?: readonly string[] | null;
  /** The state after the utterance; left out, it is the one before (which may have been changed in place). */
  state?: S;
}

/** How a game begins. */
export interface GameStart {
  /** All chance of the game comes from this: a whole number from 0, below 2^53. */
  seed: number;
  /** The task, where one is asked for. */
  task: number | null;
  /** Set where the game is learned from: the share of the training that is done. */
  training?: number;
}

/**
 * A text world. The same seed and the same utterances give the same game. `start` and `act` may be asynchronous; all
 * games of an iteration are asked together.
 */
export interface WorldDefinition<S = unknown> {
  /** One word, such as `door`. */
  name: string;
  /** The most turns of a game, from 1 to 10000. */
  maxTurns: number;
  /** Begins a game: gives what the agent reads first. What it throws ends the call that plays with code `world`. */
  start(game: GameStart): Opening<S> | Promise<Opening<S>>;
  /** Answers what the agent said, given the state after the turn before. What it throws ends the call that plays with code `world`. */
  act(state: S, said: string): Played<S> | Promise<Played<S>>;
  /** Whether every turn lists what can be said. Default false: a turn may. */
  choices?: boolean;
  /** Exchanges that the agent reads beside the opening: the last so many. 0 is the last reply alone (a screen); default the whole game. */
  memory?: number | null;
  /** Whether utterance and reply stand on one line. Default false. */
  oneLine?: boolean;
  /** The number of different tasks, where they are numbered. */
  tasks?: number | null;
  /** The best mean return there is, where it is known. */
  best?: number | null;
  /** The lowest return of a game, where there is one. */
  worst?: number | null;
  /** What a turn is called in reports, such as `question`. */
  turn?: string;
  /** Games of a player who is worth imitating at the beginning. */
  demonstrations?: readonly RecordedGame[];
  /** Milliseconds for which an asynchronous `start` or `act` is waited for; default 30000. */
  timeLimit?: number;
  /** Plain values that a model file keeps with the world's name. */
  settings?: Record<string, unknown>;
}

/** What `defineWorld` gives. */
export type World<S = unknown> = Readonly<WorldDefinition<S>>;

/**
 * A world for `create`, `fineTune` and `evaluate`: one that lives here, or the address of a module whose default export
 * is one (or a function from `options` to one). A module is loaded where the agent computes, so its turns cost no trip
 * between threads.
 */
export type WorldSource = World<never> | World<any> | string | PlatformURL | {
  /** The address of the module. */
  module: string | PlatformURL;
  /** Plain data that its function is called with. */
  options?: unknown;
} | BuiltIn;

/** A world that the package has of its own, as one of its subpaths gives it. */
export interface BuiltIn {
  /** Its name. */
  readonly builtIn: string;
  /** What it is set to; only the subpath that gave it reads them. */
  readonly settings: Record<string, unknown>;
  /** The default of `teachWinning` for a fine-tune in this world. */
  readonly teachWinning?: boolean;
  /** Answers for it where the agent computes on this thread. */
  readonly host: () => Promise<unknown>;
}

/** A game that was played, by whomever. */
export interface RecordedGame {
  /** The name of its world, where `playGames` told it. */
  world?: string;
  /** What the player read first. */
  opening: string;
  /** What could be said first, where the world listed it. */
  choices?: readonly string[] | null;
  /** The turns, in order. */
  turns: readonly {
    /** What the player said. */
    said: string;
    /** What the world replied; default nothing. */
    reply?: string;
    /** What the utterance was worth: a finite number; default 0. */
    reward?: number;
    /** What could be said next. */
    choices?: readonly string[] | null;
    /** Whether the utterance is worth imitating; default true. */
    imitate?: boolean;
  }[];
  /** How it ended; `null` or left out: it did not. */
  end?: "won" | "over" | "cut" | null;
  /** The number of the task, where tasks have numbers. */
  task?: number;
}
