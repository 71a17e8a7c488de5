/** What goes between a page and the worker. Each request has a number, by which replies name it. */
import type { CallState } from "./call-control.js";
import type { Request } from "./engine.js";
import type { Fault } from "./errors.js";
import type { Program } from "./fetch.js";
import type { Located } from "./located.js";
import type { ModelFile } from "./model-file.js";
import type { RawProgress } from "./progress.js";
import type { Backend } from "./types.js";
import type { Declared } from "./world.js";

export type ToWorker =
  /** Begins to fetch the program; the `model` that `start` brings may arrive later. `llm` is fetched where it is a language model. */
  | { id: number; kind: "prepare"; backend: Backend; wasm: Exclude<Program, URL> | undefined; llm: Exclude<Program, URL> | undefined }
  | { id: number; kind: "start"; model: ModelFile | { world: Sent; spec: object } }
  | { id: number; kind: "world"; place: Sent }
  /** The answer of a world in the page to the message of this number; there is no reply. */
  | { id: number; kind: "answered"; answer?: string; fault?: Fault }
  | { id: number; kind: "call"; request: Request; hears: boolean }
  /** How the call of this number is to go on; there is no reply. */
  | { id: number; kind: "control"; state: CallState }
  | { id: number; kind: "export"; training: boolean; base: boolean }
  | { id: number; kind: "import"; file: ModelFile }
  | { id: number; kind: "lost" };

/** A world as it is sent to a worker: one that lives in the page stays there. */
export type Sent =
  | Extract<Located, { kind: "module" }>
  | Omit<Extract<Located, { kind: "builtIn" }>, "host">
  | { kind: "page"; key: number; declared: Declared };

export type FromWorker =
  /** That there is somebody: said before the program is fetched, which may take long. */
  | { id: number; kind: "heard" }
  /** A message for a world in the page. */
  | { id: number; kind: "ask"; key: number; message: string }
  /** `texts`: what is left to tell of a question as it grew. */
  | { id: number; kind: "done"; value: unknown; texts?: string[] }
  | { id: number; kind: "failed"; fault: Fault }
  | { id: number; kind: "progress"; progress: RawProgress }
  /** A question as it grew, told together. */
  | { id: number; kind: "texts"; texts: string[] }
  /** The call of this number stands still. */
  | { id: number; kind: "held" };
