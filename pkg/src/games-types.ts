/**
 * The guessing games, on top of an agent.
 */
import type { PlatformSignal } from "./platform.js";

/** What a person can answer. `unknown` is "don't know": an agent that does not repeat itself asks on as if it had not asked. */
export type Answer = "yes" | "no" | "sometimes" | "unknown";

/** One exchange. */
export interface Turn {
  /** Its number, from 1. */
  number: number;
  /** The question, as a line of text. */
  question: string;
  /** `null` while the answer is awaited: at most the last turn. */
  answer: Answer | null;
  /** The thing that the question guesses, if it is a guess. */
  guess: string | null;
  /** Whether the question was put in by `force` rather than asked by the agent. */
  forced: boolean;
}

/** Where a game stands. */
export interface GameState {
  /** `ask`: the agent is to ask; `answer`: the person is to answer; `found` and `lost` are ends. */
  status: "ask" | "answer" | "found" | "lost";
  /** The turns so far, in order. */
  turns: Turn[];
  /** Questions after which the game is lost. */
  maxTurns: number;
  /** The thing that was found. */
  found: string | null;
  /** Sum of the rewards so far: −1 for each answered question that did not win. */
  returnSoFar: number;
}

/** A thing the agent may be about to guess. */
export interface Guess {
  /** The thing as the table calls it. */
  thing: string;
  /** Share of the actor's guessing that goes to this thing; the list adds up to 1. */
  probability: number;
  /** Whether it was guessed in this game and denied. */
  denied: boolean;
}

/** What the agent believes now. */
export interface Guesses {
  /** All things, likeliest first. */
  guesses: Guess[];
  /** Probability that the actor's next utterance is a guess of one of them at all. */
  guessing: number;
}

/** How a question is to be asked. */
export interface AskOptions {
  /** Called with the text so far for each token that was written; a worker tells it some at a time where they come fast. */
  onText?: (textSoFar: string) => void;
  /** Sample as in training instead of taking the likeliest tokens. */
  sample?: boolean;
  /** Stops the call, which then rejects with the signal's reason. The game stays as it was. */
  signal?: PlatformSignal;
}

/** What the world's own table would have answered, beside what the person did. */
export interface RevealedTurn extends Turn {
  /** What the agent's world says of the thing, by its table; `unknown` if it cannot read the question. */
  expected: Answer;
  /** Whether the two agree; `unknown` on either side agrees with anything, and so does what depends. */
  agrees: boolean;
}

/** What the game looks like once the thing is known. */
export interface Reveal {
  /** The thing as the table calls it, or as it was given if the table does not know it. */
  thing: string;
  /** Whether the table knows it: if not, `expected` is `unknown` throughout. */
  known: boolean;
  /** Whether the agent was trained on it: one of `GamesInfo.things`. */
  listed: boolean;
  /** The turns of the game, in order. */
  turns: RevealedTurn[];
}

/** A game in which the agent asks. Calls follow `state.status`; others reject with `usage`. */
export interface Game {
  /** Where the game stands. */
  readonly state: GameState;
  /** Lets the agent ask. After an undo the same seed gives the same question. */
  ask(options?: AskOptions): Promise<Turn>;
  /** Answers the question that stands open. */
  answer(answer: Answer): Promise<GameState>;
  /** Takes back the last answer: its question stands open again, and one that was asked after it is gone. */
  undo(): Promise<GameState>;
  /** What the agent would guess now. */
  guesses(): Promise<Guesses>;
  /** Tells what it was. Allowed at any time; does not end the game. */
  reveal(thing: string): Promise<Reveal>;
  /** What the critic thinks of a turn: the open or the answered one of this number; default the last. */
  inspect(options?: InspectOptions): Promise<Inspection>;
  /** Goes back to a turn and puts another question there; later turns are dropped and its answer is awaited. */
  force(turn: number, question: string): Promise<GameState>;
}

/** How a game begins. */
export interface GameOptions {
  /** Seed of sampled questions and of the alternatives; default 1. */
  seed?: number;
  /** The turns of a game that was left: it goes on after them. Only the last may be without an answer. */
  turns?: readonly {
    /** The question. */
    question: string;
    /** `null` if it awaits one. */
    answer: Answer | null;
    /** As in `Turn`; default false. */
    forced?: boolean;
  }[];
}

/** What `inspect` looks at. */
export interface InspectOptions {
  /** Number of a turn, from 1; one more than the last asks for the state before a question was asked. Default the last. */
  turn?: number;
  /** Utterances that the policy is sampled for to find alternatives; default 16. Equal ones count once. */
  samples?: number;
  /** Questions to judge beside these. */
  also?: string[];
}

/** A question and what the critic thinks of asking it. */
export interface Judged {
  /** The question. */
  question: string;
  /** The first critic's value of asking it here: a discounted return. */
  q1: number;
  /** The second critic's value of asking it here. */
  q2: number;
  /** `min(q1, q2) − min(v1, v2)`: better (above 0) or worse than what the policy does on average. */
  advantage: number;
  /** Probability that the policy says exactly this, terminator included. */
  probability: number;
  /** `returnSoFar + min(q1, q2)`. */
  expectedReturn: number;
}

/** What the critic thinks before one question. */
export interface Inspection {
  /** Number of the turn, from 1. */
  turn: number;
  /** The first critic's value of the state before the question. */
  v1: number;
  /** The second critic's value of that state. */
  v2: number;
  /** `returnSoFar + min(v1, v2)` before the question. */
  expectedReturn: number;
  /** The question asked at this turn; `null` where none was yet. */
  asked: Judged | null;
  /** Others that the policy may ask here and those of `also`, best first. */
  alternatives: Judged[];
}

/** How a hosted game begins. */
export interface HostOptions {
  /** Draws the thing; default a fresh draw. */
  seed?: number;
  /** The thing to think of; default drawn by `seed`. */
  thing?: string;
}

/** An exchange of a hosted game. */
export interface HostTurn {
  /** Its number, from 1. */
  number: number;
  /** The question as the person asked it. */
  question: string;
  /** "Yes.", "No.", "Sometimes." or "Invalid Question." */
  reply: string;
  /** Whether the world could read the question. */
  understood: boolean;
  /** The question as it was taken, where a word in it was misspelled: "did you mean …". */
  meant?: string;
  /** Whether it was two questions in one whose answers differ, and so was not answered. */
  oneAtATime: boolean;
}

/** Where a hosted game stands. */
export interface HostState {
  /** `ask`: the person is to ask; `found` and `lost` are ends. */
  status: "ask" | "found" | "lost";
  /** The turns so far, in order. */
  turns: HostTurn[];
  /** Questions after which the game is lost. */
  maxTurns: number;
  /** Told when the game has ended. */
  thing: string | null;
  /** Sum of the rewards so far: −1 for each question that did not win. */
  returnSoFar: number;
}

/** A game in which the page thinks of something and the person asks in free text. */
export interface HostedGame {
  /** Where the game stands. */
  readonly state: HostState;
  /** Asks; a blank question is refused with `usage` and costs nothing. */
  ask(question: string): Promise<HostState>;
  /** Takes the last question back. */
  undo(): Promise<HostState>;
  /** Ends the game and tells the thing. */
  giveUp(): Promise<HostState>;
}

/** What makes a world of Twenty Questions another: what you and yours think of, and how you answer. */
export interface WorldChange {
  /** How likely some things are beside 1 for the others, by name, such as `{ dog: 8 }`; 0 for never. */
  weights?: Record<string, number>;
  /** What is answered otherwise than by the table: a question about a property, and the things with what is true of them here, such as `{ "Is it alive?": { computer: "yes" } }`. It holds in every wording. */
  answers?: Record<string, Record<string, "yes" | "no" | "sometimes">>;
  /** Further things that can be the secret, by names that the table knows. */
  extra?: string[];
}

/** What there is in the game that an agent plays. */
export interface GamesInfo {
  /** The things that can be thought of, in the world's order. */
  things: string[];
  /** The same as they stand in a sentence: "a cat", "a pair of pants", "toothpaste". */
  named: string[];
  /** Questions after which a game is lost. */
  maxTurns: number;
  /** Whether this world has the answer "Sometimes."; where not, the agent hears it as "don't know". */
  sometimes: boolean;
  /** Best mean return there is, where it is known. */
  optimumReturn: number | null;
  /** The lowest return of a game. */
  worstReturn: number | null;
}
