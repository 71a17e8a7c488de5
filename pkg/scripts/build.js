// Builds the package into dist/: the wasm modules, the TypeScript around them, the types, the model.
//
//   node scripts/build.js              everything
//   node scripts/build.js --ts         only the TypeScript, around the modules that are there
//
// `make setup` brings what this needs.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(here);
const at = (...parts) => join(here, ...parts);
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
/** The modules, and the profile that each is built in (scripts/wasm-cargo). */
const MODULES = { cpu: "wasm-cpu", llm: "wasm-cpu", webgpu: "wasm", games: "wasm-games", hearing: "wasm-games" };
/** Two builds of the games, which one script of glue fits. */
const GAMES = ["games", "hearing"];
/** The scripts that are imported; `model-*` say where a model is, and stand alone so that only that one is copied. */
const ENTRIES = ["index", "cpu", "twenty-questions", "model-quickstart", "model-twenty-questions"];

/** Lets entries that share no other file share the class of errors, so that `instanceof` holds for each of them. */
const oneError = {
  name: "one-error",
  setup: ({ onResolve }) => onResolve({ filter: /^\.\/errors\.js$/ }, ({ path }) => ({ path, external: true })),
};

if (!process.argv.includes("--ts")) {
  for (const [name, profile] of Object.entries(MODULES)) await buildModule(name, profile);
}
await buildScripts();

async function buildModule(name, profile) {
  run(join(root, "scripts/wasm-cargo"), [name, "build", "--lib"]);
  // A build that another one's glue fits imports that glue by its name.
  const glue = GAMES.includes(name) ? "games" : name;
  const folder = glue === name ? at("src/wasm") : at("src/wasm", name);
  run(tool("wasm-bindgen"), [
    join(target, "wasm32-unknown-unknown", profile, GAMES.includes(name) ? "archer_games_web.wasm" : "archer_wasm.wasm"),
    ...["--target", "web", "--out-dir", folder, "--out-name", `archer-${glue}`],
    // Names of functions are a third of what would be fetched, and nobody reads them there.
    ...["--remove-name-section", "--remove-producers-section"],
  ]);
  const module = readFileSync(join(folder, `archer-${glue}_bg.wasm`));
  writeFileSync(at(`src/wasm/archer-${name}_bg.wasm`), await shrunk(name, module));
}

/** The module for WebGPU stays as it is: half a minute of every build would make it a fiftieth smaller. */
async function shrunk(name, module) {
  if (name === "webgpu") return module;
  const { inOrderOfLikeness, withoutWaste } = await import("./likeness.js");
  return (GAMES.includes(name) ? inOrderOfLikeness : withoutWaste)(module);
}

async function buildScripts() {
  rmSync(at("dist"), { recursive: true, force: true });
  mkdirSync(at("dist/cjs"), { recursive: true });
  for (const name of Object.keys(MODULES)) if (name !== "hearing") await buildGlue(name);
  packProgram();
  run(process.execPath, [at("node_modules/typescript/bin/tsc"), "--project", at("tsconfig.json")]);
  const entryPoints = ENTRIES.map((name) => at(`src/${name}.ts`));
  // Pages and bundlers for pages find every file by `new URL("./file", import.meta.url)`.
  await bundle({ entryPoints, splitting: true, chunkNames: "shared-[hash]" });
  // A worker is one file, so that it is one file to copy where a bundler does not see it.
  await bundle({ entryPoints: { "archer-worker": at("src/worker.ts"), "archer-worker-cpu": at("src/worker-cpu.ts") } });
  // All in one file, which looks for no other.
  await bundle({ entryPoints: [at("src/inline.ts")] });
  // A bundler for servers must leave the files where they are, so it must not see through these words.
  const here = { define: { "import.meta.url": "here" } };
  await bundle({ entryPoints, splitting: true, ...here, banner: { js: "const here = [import.meta.url].join(\"\");" }, entryNames: "[name].node", chunkNames: "shared-[hash].node" });
  // For `require`, which tests in jest and Node before 20.19 need.
  const address = 'const here = require("node:url").pathToFileURL(require("node:path").join(__dirname, "../index.js")).href;';
  const cjs = { ...here, format: "cjs", outdir: at("dist/cjs"), banner: { js: address } };
  await bundle({ entryPoints, ...cjs, plugins: [oneError] });
  await bundle({ entryPoints: [at("src/errors.ts")], ...cjs });
  writeFileSync(at("dist/cjs/package.json"), '{ "type": "commonjs" }\n');
  copyFileSync(at("src/asset.d.ts"), at("dist/asset.d.ts"));
  const needed = typesOf(["asset", "worker", "worker-cpu", "inline", ...ENTRIES]);
  for (const name of readdirSync(at("dist")).filter((file) => file.endsWith(".d.ts"))) {
    if (needed.has(name)) copyFileSync(at("dist", name), at("dist/cjs", name));
    else rmSync(at("dist", name));
  }
  for (const name of Object.keys(MODULES)) copy(`src/wasm/archer-${name}_bg.wasm`, `dist/archer-${name}_bg.wasm`);
  for (const name of ["twenty-questions", "quickstart"]) copy(`models/${name}.archer`, `dist/${name}.archer`);
  for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) copyFileSync(join(root, licence), at(licence));
}

/** The files of types that can be reached from these: those of the package's inside are nobody's business. */
function typesOf(names, found = new Set()) {
  for (const name of names) {
    const file = `${name}.d.ts`;
    if (found.has(file)) continue;
    found.add(file);
    const text = readFileSync(at("dist", file), "utf8");
    typesOf([...text.matchAll(/"\.\/([\w-]+)\.js"/g)].map((match) => match[1]), found);
  }
  return found;
}

function bundle(options) {
  return build({
    outdir: at("dist"),
    bundle: true,
    format: "esm",
    target: "es2022",
    // Readable, since whoever uses the package bundles and packs it himself.
    charset: "utf8",
    legalComments: "inline",
    ...options,
    define: { ...options.define, __VERSION__: JSON.stringify(JSON.parse(readFileSync(at("package.json"), "utf8")).version) },
  });
}

/**
 * Makes of wasm-bindgen's glue, which knows one instance, a function that makes glue for a fresh one. What
 * src/instance.ts gives it takes the place of what is global, and where the module is it need not know.
 */
async function buildGlue(name) {
  const { outputFiles } = await build({
    entryPoints: [at(`src/wasm/archer-${name}.js`)],
    bundle: true,
    write: false,
    format: "iife",
    globalName: "glue",
    target: "es2022",
    charset: "utf8",
    define: { "import.meta.url": '""' },
  });
  const [{ text }] = outputFiles;
  writeFileSync(at(`src/wasm/${name}-glue.js`), `export default function makeGlue(WebAssembly, TextDecoder, TextEncoder) {\n${text}return glue;\n}\n`);
  writeFileSync(at(`src/wasm/${name}-glue.d.ts`), "declare const makeGlue: import(\"../instance.js\").MakeGlue;\nexport default makeGlue;\n");
}

/** The module for the CPU as a script that holds its bytes, packed: as they are they would be three times as large. */
function packProgram() {
  const packed = gzipSync(readFileSync(at("src/wasm/archer-cpu_bg.wasm")), { level: 9 }).toString("base64");
  writeFileSync(at("src/wasm/cpu-packed.js"), `export default "${packed}";\n`);
  writeFileSync(at("src/wasm/cpu-packed.d.ts"), "declare const packed: string;\nexport default packed;\n");
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
