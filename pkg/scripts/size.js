// What a browser fetches must stay small: fails where a module, or the script with one in it, is larger gzipped than it
// may be.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const LIMITS = { "archer-cpu_bg.wasm": 900_000, "archer-games_bg.wasm": 250_000, "archer-hearing_bg.wasm": 300_000, "archer-llm_bg.wasm": 1_150_000, "archer-webgpu_bg.wasm": 3_000_000, "inline.js": 1_000_000 };

let failed = false;
for (const [name, limit] of Object.entries(LIMITS)) {
  const bytes = readFileSync(new URL(`../dist/${name}`, import.meta.url));
  const size = gzipSync(bytes, { level: 9 }).length;
  const fits = size <= limit;
  failed ||= !fits;
  console.log(`${name}: ${kB(bytes.length)}, gzipped ${kB(size)} of at most ${kB(limit)}${fits ? "" : ": too large"}`);
}
process.exitCode = failed ? 1 : 0;

function kB(bytes) {
  return `${Math.round(bytes / 1000)} kB`;
}
