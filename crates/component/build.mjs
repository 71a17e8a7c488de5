// Builds the component into dist/archer.wasm: cargo builds a module, whose world of JavaScript is cut off here, and
// which becomes a component.
//
//   node build.mjs            builds, and fails where the component is larger than it may be
//
// `make setup` brings what this needs.
//
// Libraries below the core reach for JavaScript wherever the target is wasm32-unknown-unknown. Of what they ask, all
// but one thing is never asked here and becomes a trap. The one is the seed of a generator from which burn draws
// nothing but names of parameters, which no result depends on: it is given zeros. On wasm32-wasip2 they would be
// imports, and the standard library's own besides: files, streams, a clock, an exit.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { componentNew } from "@bytecodealliance/jco-transpile/wasm-tools";
import binaryen from "binaryen";

/** Bytes that the component may have, gzipped. */
const LIMIT = 1_200_000;
/** From where the module may import: its world. */
const WORLD = "archer:agents/worlds@";
/** What libraries may ask of JavaScript, since it is never asked: objects, errors and tasks of JavaScript. */
const TRAPS = /^(__wbindgen_|__wbg___wbindgen_(throw|jspi_spawn_poll)_)/;
/** What is asked, and is given zeros. */
const ZEROS = /^__wbg_getRandomValues_/;

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");

execFileSync(join(root, "scripts/wasm-cargo"), ["component", "build", "--lib"], { stdio: "inherit" });
const built = readFileSync(join(target, "wasm32-unknown-unknown", "wasm-component", "archer_component.wasm"));
const component = await componentNew(withoutJavaScript(built));
mkdirSync(join(here, "dist"), { recursive: true });
writeFileSync(join(here, "dist", "archer.wasm"), component);

const size = gzipSync(component, { level: 9 }).length;
console.log(`archer.wasm: ${kB(component.length)}, gzipped ${kB(size)} of at most ${kB(LIMIT)}`);
if (size > LIMIT) {
  console.error("archer.wasm is too large");
  process.exitCode = 1;
}

/** The module with nothing to import but its world, and nothing to export but what a component is made of. */
function withoutJavaScript(bytes) {
  const module = binaryen.readBinary(bytes);
  module.setFeatures(binaryen.Features.All);
  for (const name of names(module.getNumExports(), (i) => binaryen.getExportInfo(module.getExportByIndex(i)).name)) {
    if (!name.includes("#") && !/^(memory|cabi_.*|_initialize)$/.test(name)) module.removeExport(name);
  }
  module.runPasses(["remove-unused-module-elements"]);
  const functions = names(module.getNumFunctions(), (i) => binaryen.getFunctionInfo(module.getFunctionByIndex(i)));
  for (const { name, module: from, base, params, results } of functions) {
    if (!from || from.startsWith(WORLD) || from.startsWith("[export]")) continue;
    if (!TRAPS.test(base) && !ZEROS.test(base)) {
      throw new Error(`the module asks JavaScript for ${base} (${from}): find out who calls it, before it becomes a trap`);
    }
    module.removeFunction(name);
    module.addFunction(name, params, results, [], ZEROS.test(base) ? zeros(module) : module.unreachable());
  }
  module.runPasses(["remove-unused-module-elements"]);
  return module.emitBinary();
}

/** Fills what is asked for, an address and a length, with zeros. */
function zeros(module) {
  const [address, length] = [0, 1].map((index) => module.local.get(index, binaryen.i32));
  return module.memory.fill(address, module.i32.const(0), length);
}

function names(count, at) {
  return Array.from({ length: count }, (_, i) => at(i));
}

function kB(bytes) {
  return `${Math.round(bytes / 1000)} kB`;
}
