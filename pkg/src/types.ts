/**
 * The whole interface of archer-web, and nothing that runs.
 *
 * The same types hold in a page (where everything is computed in a worker), inside a worker of
 * your own, and in Node. Numbers that come from the critic are returns: sums of rewards, discounted by
 * `ModelInfo.gamma` for each turn that lies ahead.
 */

import type { ExportOptions, Saved, SaveOptions, Store } from "./keeping-types.js";
import type { PlatformBlob, PlatformModule, PlatformResponse, PlatformSignal, PlatformURL, PlatformWorker } from "./platform.js";
import type { RecordedGame, WorldSource } from "./world-types.js";

export type * from "./keeping-types.js";
export type * from "./platform.js";
export type * from "./world-types.js";

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
  wasm?: {
    /** For the CPU. */
    cpu?: WasmSource;
    /** For WebGPU. */
    webgpu?: WasmSource;
    /** For language models. */
    llm?: WasmSource;
  };
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
  measured: {
    /** The CPU. */
    cpu: BackendSpeed | null;
    /** WebGPU. */
    webgpu: BackendSpeed | null;
  };
}

/** What this browser or runtime can do. */
export interface Capabilities {
  /** WebAssembly with SIMD: without it nothing runs. */
  wasmSimd: boolean;
  /** Whether there is a WebGPU adapter, and if not, why not. */
  webgpu: {
    /** Whether there is one. */
    available: boolean;
    /** Its name. */
    adapter: string | null;
    /** A sentence that can be shown. */
    reason: string;
  };
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
  parameters: {
    /** Of the actor. */
    actor: number;
    /** Of the critic. */
    critic: number;
  };
  /** Tokens in the vocabulary. */
  vocabulary: number;
  /** Learning iterations behind this model, in all its runs, and games played in them. */
  trained: {
    /** Learning iterations. */
    iterations: number;
    /** Games. */
    games: number;
  };
  /** Whether the file holds the whole state of a run, which `fineTune` and the terminal go on from exactly. */
  resumable: boolean;
  /** Whether the agent says no utterance twice in a game. */
  retries: boolean;
  /** Size of the model file in bytes. */
  bytes: number;
}

/** What `create` takes. */
export interface CreateOptions extends Omit<LoadOptions, "model" | "keep" | "world" | "onProgress" | "backend" | "admitSoftware" | "wasm"> {
  /** A new agent is small, so it is made on the CPU: `auto` means the same. Its file can be loaded on WebGPU. */
  backend?: "cpu" | "auto";
  /** The program, for servers that keep it elsewhere: where it is, or what it is. */
  wasm?: {
    /** For the CPU. */
    cpu?: WasmSource;
  };
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
  | {
      /** Demonstrations are imitated. */
      stage: "imitate";
      /** Steps of imitation that are done. */
      loaded: number;
      /** Steps of imitation in all. */
      total: number;
      /** A sentence that can be shown. */
      message: string;
    };

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
  exchanges?: readonly {
    /** What the agent said. */
    said: string;
    /** What was replied. */
    reply: string;
  }[];
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
  /** Stops the call, which then rejects with the signal's reason. The conversation stays as it was. */
  signal?: PlatformSignal;
}

/** What the agent said. */
export interface Spoken {
  /** The utterance: one line. */
  text: string;
}

/** What it said, and how likely that was. */
export interface Utterance extends Spoken {
  /** Log-probability that the agent says exactly this here. */
  logProb: number;
  /** What else it may have said, likeliest first. */
  alternatives: {
    /** The utterance. */
    text: string;
    /** Its log-probability. */
    logProb: number;
  }[];
}

/** How a reply is told. */
export interface HearOptions {
  /** What the utterance was worth: a finite number; default 0. */
  reward?: number;
  /** How the conversation ended; `null` (default) while it goes on. After an end only `undo` goes on with it. */
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
  /** The utterance. */
  text: string;
  /** The first critic's value of saying it here: a discounted return. */
  q1: number;
  /** The second critic's value of saying it here. */
  q2: number;
  /** `min(q1, q2) − min(v1, v2)`: better (above 0) or worse than what the policy does on average. */
  advantage: number;
  /** Probability that the policy says exactly this. */
  probability: number;
}

/** What the critic thinks of where a conversation stands. */
export interface Judgement {
  /** The first critic's value of the state: the discounted return from here on. */
  v1: number;
  /** The second critic's value of the state. */
  v2: number;
  /** The last utterance that was not yet answered; `null` where none is open. */
  said: JudgedUtterance | null;
  /** The choices, or what the policy may say here, and those of `also`; best first. */
  alternatives: JudgedUtterance[];
}

/** A conversation with the agent: text in, text out. It lives in the page; calls follow one another. */
export interface Talk {
  /** What was said and replied so far, in order. */
  readonly exchanges: readonly {
    /** What the agent said. */
    said: string;
    /** What was replied. */
    reply: string;
    /** What it was worth. */
    reward: number;
  }[];
  /** What was said and not yet answered. */
  readonly open: string | null;
  /** How it ended, where `hear` said so. */
  readonly end: "won" | "over" | "cut" | null;
  /** Lets the agent speak. Rejects with `usage` while an utterance waits for its reply, and after the end. */
  say(options?: SayOptions & { score?: true }): Promise<Utterance>;
  /** Lets the agent speak; with `score: false` it says only the text. */
  say(options?: SayOptions): Promise<Spoken>;
  /** Says the first line of this text instead of the agent. Throws `usage` while an utterance waits for its reply. */
  force(text: string): void;
  /** Tells the reply to what was said. Throws `usage` where no utterance waits for one. */
  hear(reply: string, options?: HearOptions): void;
  /** Takes back the last reply, or what is not yet answered. Throws `usage` at the beginning of the conversation. */
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
  /** Games that were played. */
  games: number;
  /** Mean return of a game, not discounted. */
  meanReturn: number;
  /** 95 % interval of the mean return; null where there is none: one game, or all games alike. */
  returnCi95: [number, number] | null;
  /** Share of the games that were won, from 0 to 1. */
  winRate: number;
  /** Mean number of turns of a game. */
  meanTurns: number;
  /** Share of the utterances that the world could not read. */
  invalidRate: number;
  /** Share of the utterances that were said before in the same game. */
  repeatRate: number;
  /** Best mean return there is, where it is known. */
  optimumReturn: number | null;
}

/** How `evaluate` plays. */
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
  /** Stops the games; the call then rejects with the signal's reason. */
  signal?: PlatformSignal;
}

/** As `EvaluateOptions`, but `games` is 1 by default, at most 1000. */
export interface PlayGamesOptions extends EvaluateOptions {
  /**
   * Plays one game after the other, each as if it were the only one. By default (`false`) they are played side by side, which
   * is faster; the numbers that the agent computes may then differ in their last digits.
   */
  oneByOne?: boolean;
}

/** How `fineTune` learns. */
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
  /** Number of the iteration in this fine-tune, from 1. */
  iteration: number;
  /** Iterations of this fine-tune in all. */
  iterations: number;
  /** Mean return of the iteration's sampled games with its 95 % interval. */
  return: {
    /** The mean. */
    mean: number;
    /** Lower end of the interval. */
    low: number;
    /** Upper end of the interval. */
    high: number;
  };
  /** Best mean return there is, where it is known. */
  optimumReturn: number | null;
  /** Every number of the iteration by its name in the terminal's `metrics.jsonl`, such as `q1.loss`, `advantages.mean`, `actor.entropy`. Those of the actor are missing while only the critic learns. */
  metrics: Record<string, number>;
  /** A greedy evaluation, where one was due. */
  evaluation: Evaluation | null;
  /** Games played in the iteration. */
  games: number;
  /** Games for each second of the iteration. */
  gamesPerSecond: number;
  /** Tokens sampled in those games, for each second of the iteration. */
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
 * A fine-tune in progress: iterate over it, once. The worker learns only when the next update is asked
 * for, so a page that stops iterating pauses it too. The loop throws what ended the fine-tune: `world`, `diverged`,
 * `device-lost` or `usage`.
 */
export interface FineTune extends AsyncIterable<FineTuneUpdate> {
  /** `paused`: by `pause`; `stopped`: by `stop`, by the signal or by leaving the loop; `finished`: all iterations are done; `failed`: the loop threw. */
  readonly state: "running" | "paused" | "stopped" | "finished" | "failed";
  /** Holds, in the middle of an iteration too; playing and evaluating go on meanwhile. Resolves when it stands still. */
  pause(): Promise<void>;
  /** Goes on after `pause`; else it does nothing. */
  resume(): void;
  /** Ends the loop over its updates. An iteration under way is given up; what those before it learned stays, until `rollback`. */
  stop(): void;
}

/** What a metric means, from the core's own table. */
export interface MetricInfo {
  /** Its name in `FineTuneUpdate.metrics`. */
  name: string;
  /** Its unit, such as `share` or `number`. */
  unit: string;
  /** What it measures, as a phrase. */
  meaning: string;
  /** What a healthy run shows, as a phrase. */
  healthy: string;
}

// ---------------------------------------------------------------------------------------------
// The agent
// ---------------------------------------------------------------------------------------------

/** The loaded agent. Calls queue; those made while it learns or evaluates are answered in between. */
export interface Agent {
  /** Of the model as it is now. */
  readonly info: ModelInfo;
  /** What computes, and why. */
  readonly backend: BackendReport;
  /** Whether there is something that `keep` would keep and `rollback` undo. */
  readonly changed: boolean;

  /** Begins a conversation. Throws `usage` without an opening, and `disposed` after `dispose`. */
  start(options: TalkOptions): Talk;

  /** Learns by playing. Only one fine-tune is under way at a time: the loop over another throws `usage`. */
  fineTune(options?: FineTuneOptions): FineTune;
  /**
   * Learns from games that others played, such as a person's with the page, without playing: ArCHer's critic judges
   * what was said and what the agent would have said. Games of earlier calls are remembered.
   */
  learnFrom(games: readonly RecordedGame[], options?: LearnOptions): FineTune;
  /** Plays games and tells how they went; it learns nothing. Rejects with `world` where the world fails. */
  evaluate(options?: EvaluateOptions): Promise<Evaluation>;
  /**
   * Games that the agent plays in a world by itself, the first that `evaluate` would play with the same options. All
   * turns are played where the agent computes, so a game costs one trip between threads.
   */
  playGames(options?: PlayGamesOptions): Promise<RecordedGame[]>;
  /** Makes the model as it is now the one that `rollback` comes back to. */
  keep(): Promise<ModelInfo>;
  /** Goes back to the model as it was loaded or last kept. Rejects with `usage` during a fine-tune. */
  rollback(): Promise<ModelInfo>;
  /** The meaning of each metric. */
  metrics(): Promise<MetricInfo[]>;

  /** The model file, the same that `load` and the terminal read. */
  export(options?: ExportOptions): Promise<Uint8Array>;
  /** Replaces the model by one from a file; what was not kept is lost. A bad file rejects with `bad-model` and changes nothing. */
  import(file: ArrayBuffer | Uint8Array | PlatformBlob): Promise<ModelInfo>;
  /** Keeps the model in this browser, under a name that is not empty. Rejects with `storage` or `conflict`. */
  save(name: string, options?: SaveOptions): Promise<Saved>;
  /** Replaces the model by a saved one. Rejects with `not-found` if there is none. */
  restore(name: string): Promise<Saved>;
  /** What is saved, the newest first; an entry that is damaged is left out. */
  saved(): Promise<Saved[]>;
  /** Forgets what is saved under this name; it is no error if there is nothing. */
  forget(name: string): Promise<void>;

  /** Called when the backend changes after loading: the device was lost and the CPU took over. Returns how to unsubscribe. */
  onBackendChange(listener: (report: BackendReport) => void): () => void;

  /** Frees everything. Later calls reject with `disposed`. */
  dispose(): Promise<void>;
}

// ---------------------------------------------------------------------------------------------
// Errors
// ---------------------------------------------------------------------------------------------

/**
 * What went wrong; each `ArcherError` has one, and a hint for the person.
 *
 * - `no-wasm-simd`: the runtime is too old.
 * - `no-webgpu`: there is no adapter, or it refuses. It stands in `BackendReport.refused`, for the CPU computes then.
 * - `device-lost`: the graphics device went away, and the CPU could not take over.
 * - `out-of-memory`: the module ran out of memory, or a file is larger than it can take in.
 * - `bad-model`: a file is cut, altered or no model at all, or its example does not come out.
 * - `version-mismatch`: a model file is of another version.
 * - `diverged`: a number of the learning is not finite. The model is as it was before the iteration.
 * - `network`: a file could not be fetched, or is another.
 * - `blocked`: a policy of the page or the browser forbids it.
 * - `storage`: there is no storage here, or it is full.
 * - `conflict`: another tab has saved since.
 * - `not-found`: nothing is saved under this name.
 * - `world`: a world threw, was late, or broke a rule of the contract.
 * - `usage`: a call came at the wrong time or with a wrong value.
 * - `disposed`: the agent was disposed of.
 * - `internal`: a fault of ours.
 */
export type ErrorCode =
  | "no-wasm-simd" | "no-webgpu" | "device-lost" | "out-of-memory" | "bad-model" | "version-mismatch" | "diverged" | "network"
  | "blocked" | "storage" | "conflict" | "not-found" | "world" | "usage" | "disposed" | "internal";

/** The shape of `ArcherError`, which is exported as a class from the package. */
export interface ArcherErrorShape {
  /** The name of the class. */
  name: "ArcherError";
  /** What went wrong, for programs. */
  code: ErrorCode;
  /** What went wrong, as a sentence that can be shown. */
  message: string;
  /** What to do about it, as a sentence. */
  hint: string;
}

/** The function {@link load}: rejects with an `ArcherError`, such as `network`, `bad-model` or `no-wasm-simd`. */
export type Load = (options?: LoadOptions) => Promise<Agent>;
/** The function {@link create}: rejects with an `ArcherError`, such as `world`, `usage` or `network`. */
export type Create = (options: CreateOptions) => Promise<Agent>;
/** The function {@link capabilities}. */
export type GetCapabilities = () => Promise<Capabilities>;
