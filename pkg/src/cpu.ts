/**
 * The same as `archer-web`, without WebGPU, without a model and without large files: for pages that must be small.
 *
 * @module archer-web/cpu
 */
import { creator, loader } from "./load.js";
import { cpu } from "./modules-cpu.js";
import { LOAD_ON_CPU } from "./options.js";
import type { Create, Load } from "./types.js";

export { ArcherError } from "./errors.js";
export { defineWorld } from "./world.js";
export type * from "./types.js";

const entry = {
  modules: { cpu },
  options: LOAD_ON_CPU,
  workerName: "archer-worker-cpu.js",
  makeWorker: () => new Worker(new URL("./archer-worker-cpu.js", import.meta.url), { type: "module", name: "archer" }),
};

/**
 * Loads a model, which must be named, and makes it ready on the CPU. Rejects as in `archer-web`.
 *
 * @function
 */
export const load: Load = loader(entry);

/**
 * Makes an agent from nothing for a world, as in `archer-web`.
 *
 * @function
 */
export const create: Create = creator(entry);
