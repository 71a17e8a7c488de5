/** Both modules. */
import type { Modules } from "./engine.js";
import { cpu } from "./modules-cpu.js";
import { located } from "./runtime.js";
import makeGlue from "./wasm/webgpu-glue.js";

export const both: Modules = {
  cpu,
  webgpu: { make: makeGlue, url: located("archer-webgpu_bg.wasm", () => new URL("./archer-webgpu_bg.wasm", import.meta.url)) },
};
