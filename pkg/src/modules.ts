/** All modules of the learner. */
import type { Modules } from "./engine.js";
import { cpu } from "./modules-cpu.js";
import { located } from "./runtime.js";
import makeLlmGlue from "./wasm/llm-glue.js";
import makeGlue from "./wasm/webgpu-glue.js";

export const both: Modules = {
  cpu,
  webgpu: { make: makeGlue, url: located("archer-webgpu_bg.wasm", () => new URL("./archer-webgpu_bg.wasm", import.meta.url)) },
  llm: { make: makeLlmGlue, url: located("archer-llm_bg.wasm", () => new URL("./archer-llm_bg.wasm", import.meta.url)) },
};
