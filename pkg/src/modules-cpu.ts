/** The module that computes on the CPU. It stands alone, so that whoever needs no other is given no other. */
import { located } from "./runtime.js";
import makeGlue from "./wasm/cpu-glue.js";

export const cpu = { make: makeGlue, url: located("archer-cpu_bg.wasm", () => new URL("./archer-cpu_bg.wasm", import.meta.url)) };
