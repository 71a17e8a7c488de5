/**
 * Loads agents, makes new ones, and lets them talk, play and learn: on the CPU or by WebGPU, in a page or in Node.
 *
 * @module archer-web
 */
import { capabilities as lookAround } from "./backends.js";
import { creator, loader } from "./load.js";
import quickstart from "./model-quickstart.js";
import twentyQuestions from "./model-twenty-questions.js";
import { both } from "./modules.js";
import type { PlatformURL } from "./platform.js";
import type { Create, Describe, FetchModel, ForgetModel, GetCapabilities, KeptModels, Load } from "./types.js";

export { ArcherError } from "./errors.js";
export { defineWorld } from "./world.js";
export type * from "./types.js";

/**
 * Addresses of the models in the package, for `LoadOptions.model`. `twentyQuestions`, the default, knows 157 things;
 * `quickstart` knows ten, is smaller, and what it learns shows within a minute.
 */
export const models: {
  /** It knows 157 things. */
  readonly twentyQuestions: PlatformURL;
  /** It knows ten things. */
  readonly quickstart: PlatformURL;
} = { twentyQuestions, quickstart };

/**
 * Says what this browser or runtime can do, and why it cannot do the rest.
 *
 * @function
 */
export const capabilities: GetCapabilities = lookAround;

const entry = {
  modules: both,
  model: twentyQuestions,
  workerName: "archer-worker.js",
  makeWorker: () => new Worker(new URL("./archer-worker.js", import.meta.url), { type: "module", name: "archer" }),
};

/**
 * Loads a model and makes it ready to talk, to be looked into and to learn. Rejects with an {@link ArcherError}, such as
 * `network`, `blocked`, `bad-model`, `version-mismatch`, `no-wasm-simd` or `out-of-memory`.
 *
 * @function
 */
export const load: Load = loader(entry);

/**
 * Makes an agent from nothing for a world: its tokenizer, its networks, and imitation where there are demonstrations.
 * Rejects with `world` where the world throws, answers late or breaks a rule.
 *
 * @function
 */
export const create: Create = creator(entry);

// Few pages need these, so they come when they are called.
const large = () => import("./large.js");

/**
 * Says what a model file is, from its headers, before it is loaded. Of an address only the beginning is fetched. Rejects
 * with `network`, or with `bad-model` for what is no model file.
 *
 * @function
 */
export const describe: Describe = async (model, options) => (await large()).describeModel(model, options);

/**
 * Fetches and keeps a model file as `load` does, without loading it: for a program that loads it elsewhere or later.
 * Rejects with `network`, or with `out-of-memory` for more than 2 GiB.
 *
 * @function
 */
export const fetchModel: FetchModel = async (address, options) => (await large()).fetchModel(address, options);

/**
 * Lists the large files that are kept in this browser, whole or in part, the latest first.
 *
 * @function
 */
export const keptModels: KeptModels = async () => (await large()).keptModels();

/**
 * Forgets what is kept of an address, or all that is kept.
 *
 * @function
 */
export const forgetModel: ForgetModel = async (address) => (await large()).forgetModel(address);
