/** Types of what is kept in the browser, and of model files that are looked at before they are loaded. */

import type { PlatformBlob, PlatformSignal, PlatformURL } from "./platform.js";

/** A place for bytes under names; IndexedDB by default. */
export interface Store {
  /** Gives the bytes under a name, or `undefined` if there are none. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Puts bytes under a name, in the place of what was there. */
  set(name: string, bytes: Uint8Array): Promise<void>;
  /** Removes what is under a name; it is no error if there is nothing. */
  delete(name: string): Promise<void>;
  /** Lists all names. */
  keys(): Promise<string[]>;
}

/** What is kept under a name. */
export interface Saved {
  /** The name. */
  name: string;
  /** Counts the saves under this name; another tab's save raises it. */
  revision: number;
  /** Size of the model file in bytes. */
  bytes: number;
  /** Milliseconds since 1970. */
  savedAt: number;
}

/** How `save` keeps a model. */
export interface SaveOptions {
  /** Refuse with `conflict` unless the saved revision is still this one (0: there is none yet). Left out: overwrite. */
  ifRevision?: number;
  /** As in `export`; default true. `restore` then needs an agent that was loaded from a file with the same model. */
  base?: boolean;
}

/** What `export` writes. */
export interface ExportOptions {
  /** Put the whole state of the run in (optimisers, replay), so that `archer train --resume FILE` goes on with it. Default: whatever there is. */
  training?: boolean;
  /**
   * Whether the frozen model goes with its adapters; default true. Without it the file is much smaller, and only an
   * agent that was loaded from a file with the same model takes it in (`import`). Of an agent without adapters it changes nothing.
   */
  base?: boolean;
}

/** A large file, as `load` and `fetchModel` keep it. */
export interface KeptModel {
  /** Where the file comes from. */
  address: string;
  /** Bytes of the file. */
  bytes: number;
  /** Of these how many are here: fewer where a fetch was cut off. */
  arrived: number;
  /** When something of it arrived last, in milliseconds since 1970. */
  keptAt: number;
}

/** What `fetchModel` takes. */
export interface FetchOptions {
  /** As in `load`; default true. */
  keep?: boolean;
  /** Bytes that have arrived, and those there are, where the server says so. */
  onProgress?: (progress: {
    /** Bytes that have arrived. */
    loaded: number;
    /** Bytes there are, or `null` where the server does not say. */
    total: number | null;
  }) => void;
  /** Gives the fetch up, which then rejects with the signal's reason. What has arrived stays kept. */
  signal?: PlatformSignal;
}

/** A model file by its headers. */
export interface ModelDescription {
  /** Bytes of the file; `null` where a server does not say. */
  bytes: number | null;
  /** `agent`: networks from nothing. `language-model`: adapters on a model that others published, which has a module of its own. */
  kind: "agent" | "language-model";
  /** The layout of its actor, such as `gpt2` or `llama`. */
  layout: string;
  /** Layers of its actor. */
  layers: number;
  /** Numbers in the actor's state of a token. */
  width: number;
  /** Tokens in the vocabulary. */
  vocabulary: number;
  /** The most tokens that it reads at once. */
  positions: number;
  /** The name of the world that it plays. */
  world: string;
  /** The settings of that world, which only whoever makes it understands. */
  settings: Record<string, unknown>;
  /** What an agent reads first in that world, where the file tells: how a conversation with it can begin. */
  opening: string | null;
  /** What it learns by, such as `ppo`. */
  algorithm: string;
  /** The rank of its adapters, 0 where it has none. */
  rank: number;
  /** Learning iterations behind it. */
  iterations: number;
  /** Under which terms it may be used, where the file says it. */
  licence: string;
  /** What its weights are in: `f32`, `f16`, `bf16`, `q8` or `q4`. */
  precision: string;
  /**
   * About how many bytes of memory the whole tab takes at the most: to load and talk, and to fine-tune in short games.
   * From what was measured, for files of language models; `null` for others, which are small.
   */
  memory: {
    /** To load and talk. */
    load: number;
    /** To fine-tune in short games. */
    fineTune: number;
  } | null;
}

/** A model file, or where it is. */
export type ModelSource = string | PlatformURL | ArrayBuffer | Uint8Array | PlatformBlob;

/** The function {@link describe}: rejects with `network` or `bad-model`. */
export type Describe = (model: ModelSource, options?: { signal?: PlatformSignal }) => Promise<ModelDescription>;
/** The function {@link fetchModel}: rejects with `network`, `blocked` or `out-of-memory`. */
export type FetchModel = (address: string | PlatformURL, options?: FetchOptions) => Promise<PlatformBlob>;
/** The function {@link keptModels}. */
export type KeptModels = () => Promise<KeptModel[]>;
/** The function {@link forgetModel}. */
export type ForgetModel = (address?: string | PlatformURL) => Promise<void>;
