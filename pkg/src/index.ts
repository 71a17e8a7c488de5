/** archer-web: everything public leaves through this file. */
import { capabilities as lookAround } from "./backends.js";
import { creator, loader } from "./load.js";
import quickstart from "./model-quickstart.js";
import twentyQuestions from "./model-twenty-questions.js";
import { both } from "./modules.js";
import type { PlatformURL } from "./platform.js";
import type { Create, GetCapabilities, Load } from "./types.js";

export { ArcherError } from "./errors.js";
export { defineWorld } from "./world.js";
export type * from "./types.js";

/**
 * Addresses of the models in the package, for `LoadOptions.model`. `twentyQuestions`, the default, knows 157 things;
 * `quickstart` knows ten, is smaller, and what it learns shows within a minute.
 */
export const models: { readonly twentyQuestions: PlatformURL; readonly quickstart: PlatformURL } = { twentyQuestions, quickstart };

/** What this browser or runtime can do. */
export const capabilities: GetCapabilities = lookAround;

const entry = {
  modules: both,
  model: twentyQuestions,
  workerName: "archer-worker.js",
  makeWorker: () => new Worker(new URL("./archer-worker.js", import.meta.url), { type: "module", name: "archer" }),
};

/** Loads a model and makes it ready to talk, to be looked into and to learn. */
export const load: Load = loader(entry);

/** Makes an agent from nothing for a world: its tokenizer, its networks, and imitation where there are demonstrations. */
export const create: Create = creator(entry);
