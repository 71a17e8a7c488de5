// Makes JavaScript of the component, as `jco transpile archer.wasm -o dist --instantiation async` does:
// dist/archer.js, with types in dist/archer.d.ts and the modules beside it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { transpileBytes } from "@bytecodealliance/jco-transpile";

const component = process.argv[2] ?? new URL("../../../crates/component/dist/archer.wasm", import.meta.url);
const { files } = await transpileBytes(readFileSync(component), { name: "archer", instantiation: "async" });
const out = new URL("dist/", import.meta.url).pathname;
for (const [name, bytes] of Object.entries(files)) {
  mkdirSync(dirname(join(out, name)), { recursive: true });
  writeFileSync(join(out, name), bytes);
}
