/**
 * The whole interface of archer-web, and nothing that runs.
 *
 * The same types hold in a page (where everything is computed in a worker), inside a worker of
 * your own, and in Node. Numbers that come from the critic are returns: sums of rewards, −1 for
 * each question that did not win, discounted by `ModelInfo.gamma` for each turn that lies ahead.
 */

import type { PlatformBlob, PlatformModule, PlatformResponse, PlatformSignal, PlatformURL, PlatformWorker } from "./platform.js";

// ---------------------------------------------------------------------------------------------
// Loading
// ---------------------------------------------------------------------------------------------

/** What computes. */
export type Backend = "cpu" | "webgpu";

/** What may be asked for: `auto` measures a few steps of each and takes the faster. */
export type BackendChoice = Backend | "auto";

/** How `load` gets on. */
export interface LoadProgress {
  /** `fetch`: the program and the model file, which come at the same time; `check`: the model checks its own example; `measure`: the backends race. */
  stage: "fetch" | "check" | "measure";
  /** Bytes that have arrived in this stage; 0 in `check`, and in `measure` those of the second program. */
  loaded: number;
  /** Bytes to come in all, or `null` where the server does not say. */
  total: number | null;
  /** A sentence that can be shown. */
  message: string;
}

/** What `load` takes. */
export interface LoadOptions {
  /** The model file: its address, its bytes, or a `Blob`/`File`. Left out: `models.twentyQuestions`, which is in the package. */
  model?: string | PlatformURL | ArrayBuffer | Uint8Array | PlatformBlob;
  /** Default `auto`. A backend that is asked for and does not work gives way to the CPU, with the reason in `Agent.backend`. */
  backend?: BackendChoice;
  /** Let `auto` race a graphics adapter that is software, too. Default false: it is slower, and slow to find that out. */
  admitSoftware?: boolean;
  /** Called often; a slow callback does not hold up the load. */
  onProgress?: (progress: LoadProgress) => void;
  /** Stops the load, which then rejects with the signal's reason. */
  signal?: PlatformSignal;
  /**
   * Where the computation runs. `worker` (default where there is `Worker` and a document) keeps the
   * page free; `here` (default inside a worker and in Node) computes on the calling thread.
   */
  thread?: "worker" | "here";
  /** Makes the worker, for bundlers that must see `new Worker` themselves; it must run `archer-web/worker`. */
  worker?: () => PlatformWorker;
  /** The two programs, for servers that keep them elsewhere: where each is, or what it is. */
  wasm?: { cpu?: WasmSource; webgpu?: WasmSource };
  /** Where `save` and `restore` keep things. Default: IndexedDB where there is one. */
  storage?: Store;
}

/** A program: its address, a response that nobody has read, its bytes, or compiled. */
export type WasmSource = string | PlatformURL | PlatformResponse | ArrayBuffer | Uint8Array | PlatformModule;

/** How fast a backend was in the race of `auto`. */
export interface BackendSpeed {
  /** Tokens that the actor wrote in a second, one game at a time. */
  tokensPerSecond: number;
  /** Milliseconds for one tiny iteration: two games, one step of the critic, one of the actor. */
  stepMs: number;
}

/** Which backend computes, and why. */
export interface BackendReport {
  /** The one in use. */
  backend: Backend;
  /** What was asked for. */
  asked: BackendChoice;
  /** A sentence that can be shown: why this one. */
  reason: string;
  /** Name of the graphics adapter, where WebGPU was tried and there is one. */
  adapter: string | null;
  /** Why WebGPU was asked for (or tried by `auto`) and does not compute: with code `no-webgpu` where there is none. */
  refused: Omit<ArcherErrorShape, "name"> | null;
  /** What was measured of each, where it was. */
  measured: { cpu: BackendSpeed | null; webgpu: BackendSpeed | null };
}

/** What this browser or runtime can do. */
export interface Capabilities {
  /** WebAssembly with SIMD: without it nothing runs. */
  wasmSimd: boolean;
  /** Whether there is a WebGPU adapter, and if not, why not. */
  webgpu: { available: boolean; adapter: string | null; reason: string };
  /** Whether there are workers. */
  worker: boolean;
  /** Where `save` would keep things: `none` in Node, or where the browser forbids it. */
  storage: "indexeddb" | "none";
}

/** What is known of the loaded model. */
export interface ModelInfo {
  /** World the model plays: `twenty_questions`, `guess_my_city`, `bandit` or `recall`. */
  world: string;
  /** The things that can be thought of, in the world's order; empty in the toys. */
  things: string[];
  /** Questions after which a game is lost. */
  maxTurns: number;
  /** Whether this world has the answer "Sometimes."; where not, the agent hears it as "don't know". */
  sometimes: boolean;
  /** Discount for one turn. */
  gamma: number;
  /** Best mean return there is, where it is known. */
  optimumReturn: number | null;
  /** Lowest return a game can have, where there is one. */
  worstReturn: number | null;
  /** Scalars in the actor and in the critic. */
  parameters: { actor: number; critic: number };
  /** Tokens in the vocabulary. */
  vocabulary: number;
  /** Learning iterations behind this model, in all its runs, and games played in them. */
  trained: { iterations: number; games: number };
  /** Whether the file holds the whole state of a run, which `fineTune` and the terminal go on from exactly. */
  resumable: boolean;
  /** Size of the model file in bytes. */
  bytes: number;
}

// ---------------------------------------------------------------------------------------------
// Playing: the person thinks, the agent asks
// ---------------------------------------------------------------------------------------------

/** What a person can answer. `unknown` is "don't know": an agent that does not repeat itself asks on as if it had not asked. */
export type Answer = "yes" | "no" | "sometimes" | "unknown";

/** One exchange. */
export interface Turn {
  /** Its number, from 1. */
  number: number;
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
  turns: Turn[];
  maxTurns: number;
  /** The thing that was found. */
  found: string | null;
  /** Sum of the rewards so far: −1 for each answered question that did not win. */
  returnSoFar: number;
}

/** A thing the agent may be about to guess. */
export interface Guess {
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
  /** Whether the agent was trained on it: one of `ModelInfo.things`. */
  listed: boolean;
  turns: RevealedTurn[];
}

/** A game in which the agent asks. Calls follow `state.status`; others reject with `usage`. */
export interface Game {
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
  turns?: readonly { question: string; answer: Answer | null; forced?: boolean }[];
}

// ---------------------------------------------------------------------------------------------
// Inside: what the critic thinks
// ---------------------------------------------------------------------------------------------

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
  question: string;
  /** Both critics' value of asking it here. */
  q1: number;
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
  turn: number;
  /** Both critics' value of the state before the question. */
  v1: number;
  v2: number;
  /** `returnSoFar + min(v1, v2)` before the question. */
  expectedReturn: number;
  /** The question asked at this turn; `null` where none was yet. */
  asked: Judged | null;
  /** Others that the policy may ask here and those of `also`, best first. */
  alternatives: Judged[];
}

// ---------------------------------------------------------------------------------------------
// Playing the other way round: the page thinks, the person asks
// ---------------------------------------------------------------------------------------------

export interface HostOptions {
  /** Draws the thing; default a fresh draw. */
  seed?: number;
  /** The thing to think of; default drawn by `seed`. */
  thing?: string;
}

/** An exchange of a hosted game. */
export interface HostTurn {
  number: number;
  question: string;
  /** "Yes.", "No.", "Sometimes." or "Invalid Question." */
  reply: string;
  /** Whether the world could read the question. */
  understood: boolean;
}

export interface HostState {
  status: "ask" | "found" | "lost";
  turns: HostTurn[];
  maxTurns: number;
  /** Told when the game has ended. */
  thing: string | null;
  returnSoFar: number;
}

/** A game in which the page thinks of something and the person asks in free text. */
export interface HostedGame {
  readonly state: HostState;
  /** Asks; a blank question is refused with `usage` and costs nothing. */
  ask(question: string): Promise<HostState>;
  /** Takes the last question back. */
  undo(): Promise<HostState>;
  /** Ends the game and tells the thing. */
  giveUp(): Promise<HostState>;
}

// ---------------------------------------------------------------------------------------------
// Learning
// ---------------------------------------------------------------------------------------------

/** A summary of games, as `archer eval --json` prints it. */
export interface Evaluation {
  games: number;
  meanReturn: number;
  /** 95 % interval of the mean return; null where there is none: one game, or all games alike. */
  returnCi95: [number, number] | null;
  winRate: number;
  meanQuestions: number;
  invalidRate: number;
  repeatRate: number;
  optimumReturn: number | null;
}

export interface EvaluateOptions {
  /** Games, shared out equally over the things; default 100. */
  games?: number;
  /** The same seed gives the same games; default 7. */
  seed?: number;
  /** Sample as in training instead of playing greedily. */
  sample?: boolean;
  /** Which model: the one as it is now (default), or the one that `rollback` would bring back. */
  model?: "current" | "kept";
  /** Plays in another world than the model's present one; what is left out stays as it is. */
  world?: WorldChange;
  signal?: PlatformSignal;
}

export interface FineTuneOptions {
  /** Learning iterations to do; default 20. */
  iterations?: number;
  /** Seed of everything that is drawn; default 1. A run that is gone on with keeps its own. */
  seed?: number;
  /** Games in an iteration; default 64. */
  games?: number;
  /** Iterations between two greedy evaluations; 0 (default) for none. */
  evaluateEvery?: number;
  /** Games of such an evaluation; default 50. */
  evaluationGames?: number;
  /** How the world is another from now on; what is left out stays as it is. Not together with `resume`. */
  world?: WorldChange;
  /** Goes on with the run in the model file, with its own seed and sizes, where it holds one (`ModelInfo.resumable`). Default false. */
  resume?: boolean;
  /** Any other key of the configuration by its dotted name, such as `{ "lm_lr": 1e-4 }`. */
  set?: Record<string, number | string | boolean>;
  /** Stops as `stop()` does. */
  signal?: PlatformSignal;
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

/** What one iteration showed. */
export interface FineTuneUpdate {
  /** Iterations done in this fine-tune, from 1, and in all. */
  iteration: number;
  iterations: number;
  /** Mean return of the iteration's sampled games with its 95 % interval. */
  return: { mean: number; low: number; high: number };
  optimumReturn: number | null;
  /** Every number of the iteration by its name in the terminal's `metrics.jsonl`, such as `q1.loss`, `advantages.mean`, `actor.entropy`. Those of the actor are missing while only the critic learns. */
  metrics: Record<string, number>;
  /** A greedy evaluation, where one was due. */
  evaluation: Evaluation | null;
  /** Games played in the iteration, and how many a second. */
  games: number;
  gamesPerSecond: number;
  /** Tokens sampled in those games a second. */
  tokensPerSecond: number;
  /** Seconds of the iteration, games and learning together. */
  seconds: number;
  /** Whether only the critic learned: the warm-up. */
  warmup: boolean;
}

/**
 * A fine-tune in progress: iterate over it. The worker learns only when the next update is asked
 * for, so a page that stops iterating pauses it too.
 */
export interface FineTune extends AsyncIterable<FineTuneUpdate> {
  readonly state: "running" | "paused" | "stopped" | "finished" | "failed";
  /** Holds, in the middle of an iteration too; playing and evaluating go on meanwhile. Resolves when it stands still. */
  pause(): Promise<void>;
  resume(): void;
  /** Ends the loop over its updates. An iteration under way is given up; what those before it learned stays, until `rollback`. */
  stop(): void;
}

/** What a metric means, from the core's own table. */
export interface MetricInfo {
  name: string;
  unit: string;
  meaning: string;
  healthy: string;
}

// ---------------------------------------------------------------------------------------------
// Keeping
// ---------------------------------------------------------------------------------------------

/** A place for bytes under names; IndexedDB by default. */
export interface Store {
  get(name: string): Promise<Uint8Array | undefined>;
  set(name: string, bytes: Uint8Array): Promise<void>;
  delete(name: string): Promise<void>;
  keys(): Promise<string[]>;
}

/** What is kept under a name. */
export interface Saved {
  name: string;
  /** Counts the saves under this name; another tab's save raises it. */
  revision: number;
  bytes: number;
  /** Milliseconds since 1970. */
  savedAt: number;
}

export interface SaveOptions {
  /** Refuse with `conflict` unless the saved revision is still this one (0: there is none yet). Left out: overwrite. */
  ifRevision?: number;
}

export interface ExportOptions {
  /** Put the whole state of the run in (optimisers, replay), so that `archer train --resume FILE` goes on with it. Default: whatever there is. */
  training?: boolean;
}

/** The loaded agent. Calls queue; those made while it learns or evaluates are answered in between. */
export interface Agent {
  /** Of the model as it is now. */
  readonly info: ModelInfo;
  readonly backend: BackendReport;
  /** Whether there is something that `keep` would keep and `rollback` undo. */
  readonly changed: boolean;

  play(options?: GameOptions): Promise<Game>;
  host(options?: HostOptions): Promise<HostedGame>;

  fineTune(options?: FineTuneOptions): FineTune;
  evaluate(options?: EvaluateOptions): Promise<Evaluation>;
  /** Makes the model as it is now the one that `rollback` comes back to. */
  keep(): Promise<ModelInfo>;
  /** Goes back to the model as it was loaded or last kept. */
  rollback(): Promise<ModelInfo>;
  /** The meaning of each metric. */
  metrics(): Promise<MetricInfo[]>;

  /** The model file, the same that `load` and the terminal read. */
  export(options?: ExportOptions): Promise<Uint8Array>;
  /** Replaces the model by one from a file; what was not kept is lost. A bad file changes nothing. */
  import(file: ArrayBuffer | Uint8Array | PlatformBlob): Promise<ModelInfo>;
  /** Keeps the model in this browser. */
  save(name: string, options?: SaveOptions): Promise<Saved>;
  /** Replaces the model by a saved one. Rejects with `not-found` if there is none. */
  restore(name: string): Promise<Saved>;
  /** What is saved, the newest first; an entry that is damaged is left out. */
  saved(): Promise<Saved[]>;
  forget(name: string): Promise<void>;

  /** Called when the backend changes after loading: the device was lost and the CPU took over. Returns how to unsubscribe. */
  onBackendChange(listener: (report: BackendReport) => void): () => void;

  /** Frees everything. Later calls reject with `disposed`. */
  dispose(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------
// Errors
// ---------------------------------------------------------------------------------------------

/** What went wrong; each `ArcherError` has one, and a hint for the person. */
export type ErrorCode =
  | "no-wasm-simd" // the runtime is too old
  | "no-webgpu" // no adapter, or refused: in `BackendReport.refused`, for the CPU computes then
  | "device-lost" // the graphics device went away and the CPU could not take over
  | "out-of-memory"
  | "bad-model" // cut, altered, no model at all, or its example does not come out
  | "version-mismatch" // a model file of another version
  | "diverged" // a number of the learning is not finite; the model is as it was before the iteration
  | "network" // a file could not be fetched, or is another
  | "blocked" // a policy of the page or the browser forbids it
  | "storage" // no storage here, or it is full
  | "conflict" // another tab has saved since
  | "not-found" // nothing saved under this name
  | "usage" // a call at the wrong time or with a wrong value
  | "disposed"
  | "internal"; // a fault of ours

/** The shape of `ArcherError`, which is exported as a class from the package. */
export interface ArcherErrorShape {
  name: "ArcherError";
  code: ErrorCode;
  message: string;
  /** What to do about it, as a sentence. */
  hint: string;
}

/** `load` */
export type Load = (options?: LoadOptions) => Promise<Agent>;
/** `capabilities` */
export type GetCapabilities = () => Promise<Capabilities>;
