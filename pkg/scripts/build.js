// Builds the package into dist/: the two wasm modules, the TypeScript around them, the types, the model.
//
//   node scripts/build.js              everything
//   node scripts/build.js --ts         only the TypeScript, around the modules that are there
//
// `make setup` brings what this needs.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(here);
const at = (...parts) => join(here, ...parts);
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
/** The modules, and the profile that each is built in (scripts/wasm-cargo). */
const MODULES = { cpu: "wasm-cpu", webgpu: "wasm" };

if (!process.argv.includes("--ts")) {
  for (const [name, profile] of Object.entries(MODULES)) buildModule(name, profile);
}
await buildScripts();

function buildModule(name, profile) {
  run(join(root, "scripts/wasm-cargo"), [name, "build", "--lib"]);
  run(tool("wasm-bindgen"), [
    join(target, "wasm32-unknown-unknown", profile, "archer_wasm.wasm"),
    ...["--target", "web", "--out-dir", at("src/wasm"), "--out-name", `archer-${name}`],
    // Names of functions are a third of what would be fetched, and nobody reads them there.
    ...["--remove-name-section", "--remove-producers-section"],
  ]);
}

async function buildScripts() {
  mkdirSync(at("dist"), { recursive: true });
  run(process.execPath, [at("node_modules/typescript/bin/tsc"), "--project", at("tsconfig.json")]);
  await build({
    entryPoints: [at("src/index.ts"), at("src/worker.ts")],
    outdir: at("dist"),
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    // Readable, since whoever uses the package bundles and packs it himself.
    chunkNames: "shared",
    define: { __VERSION__: JSON.stringify(JSON.parse(readFileSync(at("package.json"), "utf8")).version) },
    charset: "utf8",
    legalComments: "inline",
  });
  for (const name of Object.keys(MODULES)) copy(`src/wasm/archer-${name}_bg.wasm`, `dist/archer-${name}_bg.wasm`);
  for (const name of ["twenty-questions", "quickstart"]) copy(`models/${name}.archer`, `dist/${name}.archer`);
  for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) copyFileSync(join(root, licence), at(licence));
}

function copy(from, to) {
  if (!existsSync(at(from))) throw new Error(`${from} is missing: build it first, see make help`);
  copyFileSync(at(from), at(to));
}

/** A program that `make setup` installs beside the builds, or else one on the path. */
function tool(name) {
  const own = join(target, "tools", "bin", name);
  return existsSync(own) ? own : name;
}

function run(program, args) {
  console.error([program, ...args].join(" "));
  execFileSync(program, args, { cwd: root, stdio: "inherit" });
}
