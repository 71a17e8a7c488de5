/**
 * The whole interface of archer-web, and nothing that runs.
 *
 * The same types hold in a page (where everything is computed in a worker), inside a worker of
 * your own, and in Node. Numbers that come from the critic are returns: sums of rewards, discounted by
 * `ModelInfo.gamma` for each turn that lies ahead.
 */

import type { ExportOptions, Saved, SaveOptions, Store } from "./keeping-types.js";
import type { PlatformBlob, PlatformModule, PlatformResponse, PlatformSignal, PlatformURL, PlatformWorker } from "./platform.js";

export type * from "./keeping-types.js";

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
  /** The model file: its address, its bytes, or a `Blob`/`File`. Left out: the first of `models`, which is in the package. */
  model?: string | PlatformURL | ArrayBuffer | Uint8Array | PlatformBlob;
  /**
   * Whether a large file (16 MiB and more) that is fetched is kept in this browser: a fetch that was cut off then goes on
   * where it stood, and the next visit asks the server only whether the file is still the same. Default true; smaller
   * files are never kept by this. Where the browser offers no place for it, nothing is kept.
   */
  keep?: boolean;
  /**
   * The world of the model, where `fineTune` and `evaluate` are given none: a world, or who gives it for the model as
   * it is now. `worldOf` of a subpath is one.
   */
  world?: WorldSource | ((agent: Agent) => WorldSource | undefined | Promise<WorldSource | undefined>);
  /** Default `auto`. If the backend that you asked for does not work, the agent falls back to the CPU; `Agent.backend` says why. */
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
  /** The programs, for servers that keep them elsewhere: where each is, or what it is. `llm` computes language models, and is fetched for them alone. */
  wasm?: { cpu?: WasmSource; webgpu?: WasmSource; llm?: WasmSource };
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
  /** The name of the world that it plays. */
  world: string;
  /** The settings of that world, which only whoever makes it understands. */
  settings: Record<string, unknown>;
  /** Turns after which a game is cut. */
  maxTurns: number;
  /** Discount for one turn. */
  gamma: number;
  /** Best mean return there is, where it is known. */
  optimumReturn: number | null;
  /** Lowest return a game can have, where there is one. */
  worstReturn: number | null;
  /** Scalars in the actor and in the critic; 0 for a critic that is not there. */
  parameters: { actor: number; critic: number };
  /** Tokens in the vocabulary. */
  vocabulary: number;
  /** Learning iterations behind this model, in all its runs, and games played in them. */
  trained: { iterations: number; games: number };
  /** Whether the file holds the whole state of a run, which `fineTune` and the terminal go on from exactly. */
  resumable: boolean;
  /** Whether the agent says no utterance twice in a game. */
  retries: boolean;
  /** Size of the model file in bytes. */
  bytes: number;
}

// ---------------------------------------------------------------------------------------------
// Worlds
// ---------------------------------------------------------------------------------------------

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
  /** One word. */
  name: string;
  /** The most turns of a game. */
  maxTurns: number;
  start(game: GameStart): Opening<S> | Promise<Opening<S>>;
  act(state: S, said: string): Played<S> | Promise<Played<S>>;
  /** Whether every turn lists what can be said. Default false: a turn may. */
  choices?: boolean;
  /** Exchanges that the agent reads beside the opening: the last so many. 0 is the last reply alone (a screen); default the whole game. */
  memory?: number | null;
  /** Whether utterance and reply stand on one line. Default false. */
  oneLine?: boolean;
  /** The number of different tasks, where they are numbered. */
  tasks?: number | null;
  /** The best mean return there is, where it is known, and the lowest return of a game. */
  best?: number | null;
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
export type WorldSource = World<never> | World<any> | string | PlatformURL | { module: string | PlatformURL; options?: unknown } | BuiltIn;

/** A world that the package has of its own, as one of its subpaths gives it. */
export interface BuiltIn {
  readonly builtIn: string;
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
  opening: string;
  /** What could be said first, where the world listed it. */
  choices?: readonly string[] | null;
  turns: readonly {
    said: string;
    reply?: string;
    reward?: number;
    /** What could be said next. */
    choices?: readonly string[] | null;
    /** Whether the utterance is worth imitating; default true. */
    imitate?: boolean;
  }[];
  end?: "won" | "over" | "cut" | null;
  task?: number;
}

/** What `create` takes. */
export interface CreateOptions extends Omit<LoadOptions, "model" | "keep" | "world" | "onProgress" | "backend" | "admitSoftware" | "wasm"> {
  /** A new agent is small, so it is made on the CPU: `auto` means the same. Its file can be loaded on WebGPU. */
  backend?: "cpu" | "auto";
  /** The program, for servers that keep it elsewhere: where it is, or what it is. */
  wasm?: { cpu?: WasmSource };
  /** The world of the new agent. */
  world: WorldSource;
  /** Games that are imitated first; default the world's own. A world that lists its choices needs none. */
  demonstrations?: readonly RecordedGame[];
  /** How large the networks are; default `tiny`. */
  size?: "tiny" | "small" | "medium";
  /** Seed of everything that is drawn; default 1. */
  seed?: number;
  /** What it learns by; default `ppo`. */
  algorithm?: "ppo" | "archer";
  /** Any other key of the configuration by its dotted name. */
  set?: Record<string, number | string | boolean>;
  /** Called while the program arrives and while demonstrations are imitated. */
  onProgress?: (progress: CreateProgress) => void;
}

/** How `create` gets on. */
export type CreateProgress =
  | LoadProgress
  | { stage: "imitate"; /** Steps of imitation. */ loaded: number; total: number; message: string };

// ---------------------------------------------------------------------------------------------
// Talking
// ---------------------------------------------------------------------------------------------

/** How a conversation begins. */
export interface TalkOptions {
  /** What the agent reads first. */
  opening: string;
  /** What it can say first, where that is limited. */
  choices?: readonly string[] | null;
  /** Seed of what is sampled; default 1. */
  seed?: number;
  /** Exchanges that lie behind: the conversation goes on after them. */
  exchanges?: readonly { said: string; reply: string }[];
  /** What was said after them and not yet answered. */
  open?: string | null;
  /** What was said, too, and is not read: an agent that says nothing twice keeps from it. */
  unread?: readonly string[];
}

/** How the agent is to speak. */
export interface SayOptions {
  /** Called with the text so far for each token that was written. */
  onText?: (textSoFar: string) => void;
  /** Sample as in training instead of taking the likeliest tokens. */
  sample?: boolean;
  /** Whether to find out how likely it was and what else may have been said; default true. Without it the agent speaks faster. */
  score?: boolean;
  /** How many alternatives to list; default 5. All choices are known, where there are some; else some are drawn. */
  alternatives?: number;
  /** Other choices than those of the last `hear`. */
  choices?: readonly string[] | null;
  signal?: PlatformSignal;
}

/** What the agent said. */
export interface Spoken {
  text: string;
}

/** What it said, and how likely that was. */
export interface Utterance extends Spoken {
  /** Log-probability that the agent says exactly this here. */
  logProb: number;
  /** What else it may have said, likeliest first. */
  alternatives: { text: string; logProb: number }[];
}

/** How a reply is told. */
export interface HearOptions {
  reward?: number;
  end?: "won" | "over" | "cut" | null;
  /** What can be said next, where that is limited. */
  choices?: readonly string[] | null;
}

/** What `inspect` looks at beside what was said. */
export interface LookOptions {
  /** Utterances that are sampled to find alternatives; default 16, and equal ones count once. Where there are choices, all of them are alternatives. 0 lists none. */
  samples?: number;
  /** Utterances to judge beside these. */
  also?: readonly string[];
}

/** An utterance and what the critic thinks of it. */
export interface JudgedUtterance {
  text: string;
  /** Both critics' value of saying it here. */
  q1: number;
  q2: number;
  /** `min(q1, q2) − min(v1, v2)`: better (above 0) or worse than what the policy does on average. */
  advantage: number;
  /** Probability that the policy says exactly this. */
  probability: number;
}

/** What the critic thinks of where a conversation stands. */
export interface Judgement {
  /** Both critics' value of the state: the discounted return from here on. */
  v1: number;
  v2: number;
  /** The last utterance that was not yet answered; `null` where none is open. */
  said: JudgedUtterance | null;
  /** The choices, or what the policy may say here, and those of `also`; best first. */
  alternatives: JudgedUtterance[];
}

/** A conversation with the agent: text in, text out. It lives in the page; calls follow one another. */
export interface Talk {
  /** What was said and replied so far, in order. */
  readonly exchanges: readonly { said: string; reply: string; reward: number }[];
  /** What was said and not yet answered. */
  readonly open: string | null;
  /** How it ended, where `hear` said so. */
  readonly end: "won" | "over" | "cut" | null;
  /** Lets the agent speak. */
  say(options?: SayOptions & { score?: true }): Promise<Utterance>;
  say(options?: SayOptions): Promise<Spoken>;
  /** Puts words into its mouth instead. */
  force(text: string): void;
  /** Tells the reply to what was said. */
  hear(reply: string, options?: HearOptions): void;
  /** Takes back the last reply, or what is not yet answered. */
  undo(): void;
  /** Log-probability that the agent says each of these now. */
  score(texts: readonly string[]): Promise<number[]>;
  /** What the critic thinks: of the open utterance or of the state, of `also`, and of what may be said. An agent without a critic rejects with `usage`. */
  inspect(options?: LookOptions): Promise<Judgement>;
  /** The conversation as a game to learn from. */
  record(end?: "won" | "over" | "cut" | null): RecordedGame;
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
  /** Turns of a game. */
  meanTurns: number;
  invalidRate: number;
  repeatRate: number;
  optimumReturn: number | null;
}

export interface EvaluateOptions {
  /** Games, shared out equally over the tasks where they have numbers; default 100, at most 100000. */
  games?: number;
  /** The same seed gives the same games; default 7. */
  seed?: number;
  /** Sample as in training instead of playing greedily. */
  sample?: boolean;
  /** Which model: the one as it is now (default), or the one that `rollback` would bring back. */
  model?: "current" | "kept";
  /** The world it plays in; default the one it learned in here last, else that of `load`. */
  world?: WorldSource;
  signal?: PlatformSignal;
}

/** As `EvaluateOptions`, but `games` is 1 by default, at most 1000. */
export type PlayGamesOptions = EvaluateOptions;

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
  /** The world to learn in from now on; default the one it learned in here last, else that of `load`. */
  world?: WorldSource;
  /** Learn beside returns what would have won a lost game, in worlds that say it: for utterances that the agent never tries. Default what the world says of itself. */
  teachWinning?: boolean;
  /** Goes on with the run in the model file, with its own seed and sizes, where it holds one (`ModelInfo.resumable`). Default: an agent that was created here goes on, any other begins a fine-tune of its own. */
  resume?: boolean;
  /** Any other key of the configuration by its dotted name, such as `{ "lm_lr": 1e-4 }`. */
  set?: Record<string, number | string | boolean>;
  /** Stops as `stop()` does. */
  signal?: PlatformSignal;
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

/** How `learnFrom` learns. */
export interface LearnOptions extends Pick<FineTuneOptions, "seed" | "set" | "signal" | "world"> {
  /** Learning iterations; default 10. */
  iterations?: number;
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
// The agent
// ---------------------------------------------------------------------------------------------

/** The loaded agent. Calls queue; those made while it learns or evaluates are answered in between. */
export interface Agent {
  /** Of the model as it is now. */
  readonly info: ModelInfo;
  readonly backend: BackendReport;
  /** Whether there is something that `keep` would keep and `rollback` undo. */
  readonly changed: boolean;

  /** Begins a conversation. */
  start(options: TalkOptions): Talk;

  /** Learns by playing. */
  fineTune(options?: FineTuneOptions): FineTune;
  /**
   * Learns from games that others played, such as a person's with the page, without playing: ArCHer's critic judges
   * what was said and what the agent would have said. Games of earlier calls are remembered.
   */
  learnFrom(games: readonly RecordedGame[], options?: LearnOptions): FineTune;
  evaluate(options?: EvaluateOptions): Promise<Evaluation>;
  /**
   * Games that the agent plays in a world by itself, the first that `evaluate` would play with the same options. All
   * turns are played where the agent computes, so a game costs one trip between threads.
   */
  playGames(options?: PlayGamesOptions): Promise<RecordedGame[]>;
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
  | "world" // a world threw, was late, or broke a rule of the contract
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
/** `create` */
export type Create = (options: CreateOptions) => Promise<Agent>;
/** `capabilities` */
export type GetCapabilities = () => Promise<Capabilities>;
