// Builds every project of examples/web with the packed package, as a stranger would, and runs it: in headless
// Chromium where it is a page, else in Node. Prints what each takes and how large it is.
//
//   node scripts/e2e-bundlers.js            all of them
//   node scripts/e2e-bundlers.js vite next  only these
//
// A project whose tools cannot be installed is skipped, and its name is printed.
import { execFile, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { serveFolder } from "./lib/serve-folder.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const work = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), "e2e-bundlers");
const { chromium } = createRequire(join(root, "tests/browser/package.json"))("playwright-core");

const environment = { ...process.env, NO_COLOR: "1", NEXT_TELEMETRY_DISABLED: "1" };

/** The oldest Node that the package promises, and later ones; besides, the one that is here. */
const NODES = ["20.0.0", "22.23.5", "24.22.3"];

/** How many installations run at a time: most of each is waiting for the registry. */
const INSTALLATIONS = 4;

/** Other runtimes: what npm calls them, and how they run a script. */
const RUNTIMES = { deno: ["deno@2.9.6", "deno run --allow-all"], bun: ["bun@1.4.5", "bun"] };

/** What is no script cannot be required, workers are not imported, and the entry that is one script is one for `import`. */
const NO_SCRIPTS = ["worker", "worker-cpu", "inline", "cpu.wasm", "webgpu.wasm", "llm.wasm", "games.wasm", "hearing.wasm", "twenty-questions.archer", "quickstart.archer"];

/** What is done with each project, in turn. */
const PROJECTS = {
  static: [page(".")],
  "other-origin": [page(".")],
  "sandboxed-frame": [page(".")],
  "strict-policy": [page(".")],
  "learn-from-people": [page(".", taught)],
  esbuild: [build(), page("."), sizes()],
  rollup: [build(), page("."), sizes()],
  webpack: [build({ silent: true }), page("."), sizes()],
  rspack: [build({ silent: true }), page("."), sizes()],
  vite: [build(), page("dist"), sizes(), server("npx vite --port 0")],
  small: [build(), page("dist"), sizes(), server("npx vite --port 0")],
  "vite-5": [build(), page("dist"), sizes(), server("npx vite --port 0")],
  "vite-unbundled": [build(), page("dist"), server("npx vite --port 0")],
  parcel: [build({ silent: true }), page("dist"), sizes()],
  next: [build(), server("npx next start --port 0", "/", "/server")],
  jest: [command("npm test")],
  vitest: [command("npm test")],
  node: [nodes(), others()],
  workerd: [build(), workerd("piano")],
  // Not an example: the packed package's entries and types, as others' tools see them.
  "tests/package": [lint],
};

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !(name in PROJECTS));
if (unknown.length > 0) {
  console.error(`there is no project ${unknown.join(", ")}: there are ${Object.keys(PROJECTS).join(", ")}`);
  process.exit(2);
}

const names = Object.keys(PROJECTS).filter((name) => chosen.length === 0 || chosen.includes(name));
const began = performance.now();
mkdirSync(work, { recursive: true });
const packed = pack();
const uninstalled = await installAll();
console.log(`installed (${secondsSince(began)} s)`);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
});
const outcome = { passed: [], skipped: [], failed: [] };
try {
  for (const name of names) outcome[await project(name, PROJECTS[name])].push(name);
} finally {
  await browser.close();
}
console.log(`${outcome.passed.length} passed${said("skipped")}${said("failed")} (${secondsSince(began)} s)`);
process.exitCode = outcome.failed.length > 0 ? 1 : 0;

function said(what) {
  return outcome[what].length > 0 ? `; ${what}: ${outcome[what].join(", ")}` : "";
}

/** Packs the package and unpacks it: what npm would install. */
function pack() {
  const [{ filename }] = Object.values(JSON.parse(run(`npm pack --json --ignore-scripts --pack-destination ${work}`, join(root, "pkg"))));
  const folder = join(work, "archer-web");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  run(`tar -xzf ${filename} -C ${folder} --strip-components=1`, work);
  return { folder, file: join(work, filename) };
}

function secondsSince(begin) {
  return Math.round((performance.now() - begin) / 1000);
}

/** Installs what the projects need, several at a time; what went wrong, by project. */
async function installAll() {
  const faults = new Map();
  const tasks = names.map((name) => () => install(name, join(work, name)).catch((error) => faults.set(name, error)));
  // A program that cannot be had is missed when it is to be run.
  if (names.includes("node")) tasks.push(...programs().map((program) => () => installProgram(program).catch(() => {})));
  const worker = async () => {
    for (let task = tasks.shift(); task; task = tasks.shift()) await task();
  };
  await Promise.all(Array.from({ length: INSTALLATIONS }, worker));
  return faults;
}

async function project(name, steps) {
  const folder = join(work, name);
  if (uninstalled.has(name)) {
    console.log(`${name}: skipped, its tools cannot be installed (${lastLine(uninstalled.get(name))})`);
    return "skipped";
  }
  const begin = performance.now();
  try {
    const told = [];
    for (const step of steps) told.push(await step(folder));
    console.log(`${name}: ${told.filter(Boolean).join("; ")} (${secondsSince(begin)} s)`);
    return "passed";
  } catch (error) {
    console.log(`${name}: FAILED\n${String(error.stdout ?? "")}${error.stderr ?? ""}${error.message}`);
    return "failed";
  }
}

/** A fresh copy of a project with its tools, which stay while the lock file does, and the package in it. */
async function install(name, folder) {
  mkdirSync(folder, { recursive: true });
  for (const old of readdirSync(folder)) if (old !== "node_modules") rmSync(join(folder, old), { recursive: true });
  const from = join(root, name.includes("/") ? name : `examples/web/${name}`);
  cpSync(from, folder, { recursive: true, filter: (path) => !/node_modules|\/dist$|\/\.next$/.test(path.slice(root.length)) });
  const lock = join(folder, "package-lock.json");
  const kept = join(folder, "node_modules/.archer-lock");
  if (existsSync(lock) && !(existsSync(kept) && readFileSync(kept, "utf8") === readFileSync(lock, "utf8"))) {
    await runAside("npm ci --ignore-scripts --no-audit --no-fund --loglevel=error", folder);
    writeFileSync(kept, readFileSync(lock));
  }
  // A page without a builder has the package beside it.
  const at = existsSync(join(folder, "package.json")) ? join(folder, "node_modules/archer-web") : join(folder, "archer-web");
  rmSync(at, { recursive: true, force: true });
  rmSync(join(folder, "node_modules/.vite"), { recursive: true, force: true });
  cpSync(packed.folder, at, { recursive: true });
}

/** Runs the project's build; where it is to be silent, a warning fails it. */
function build({ silent = false } = {}) {
  return (folder) => {
    const told = run("npm run build 2>&1", folder);
    if (silent && /warning/i.test(told)) throw new Error(`the build warns:\n${told}`);
    return "built";
  };
}

function command(line) {
  return (folder) => {
    run(`${line} 2>&1`, folder);
    return "tests pass";
  };
}

/** Serves a folder as plain files and visits it; the package is at another origin, too. `act` goes on in the page. */
function page(part, act) {
  return async (folder) => {
    const headers = existsSync(join(folder, "_headers")) ? headersOf(readFileSync(join(folder, "_headers"), "utf8")) : {};
    const shared = { "access-control-allow-origin": "*" };
    const cdn = await serveFolder(folder, { headers: shared });
    const site = await serveFolder(join(folder, part), { headers: { ...shared, ...headers }, replace: ["https://cdn.example", cdn.url] });
    try {
      return await visit(`${site.url}/`, act);
    } finally {
      cdn.close();
      site.close();
    }
  };
}

/** The headers of a file in the form that several hosts of static files read. */
function headersOf(text) {
  const pairs = text.split("\n").filter((line) => /^\s+\S+:/.test(line));
  return Object.fromEntries(pairs.map((line) => [line.slice(0, line.indexOf(":")).trim(), line.slice(line.indexOf(":") + 1).trim()]));
}

/** Starts a project's own server and visits it. */
function server(line, ...paths) {
  return async (folder) => {
    const child = spawn(line, { cwd: folder, shell: true, detached: true, env: { ...process.env, NO_COLOR: "1" } });
    let told = "";
    const address = new Promise((resolve, reject) => {
      const hear = (chunk) => {
        told += chunk;
        const found = told.match(/http:\/\/localhost:\d+/);
        if (found) resolve(found[0]);
      };
      child.stdout.on("data", hear);
      child.stderr.on("data", hear);
      child.on("exit", () => reject(new Error(`the server ended:\n${told}`)));
    });
    try {
      const base = await address;
      const seen = [];
      for (const path of paths.length > 0 ? paths : ["/"]) seen.push(await visit(base + path));
      return `its server: ${seen.join(", ")}`;
    } catch (error) {
      throw new Error(`${error.message}\n${told}`);
    } finally {
      // With what it started.
      process.kill(-child.pid);
    }
  };
}

/** Opens a page and waits until its agent has asked a question. Any complaint of the page fails it. */
async function visit(url, act = async () => "") {
  const context = await browser.newContext();
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => complains(message) && faults.push(message.text()));
  try {
    await page.goto(url);
    const end = Date.now() + 60_000;
    let text = "";
    while (Date.now() < end && !/[?]$|\.$/.test(text.replace(/^(Loading|Fetching|Reading the model|Measuring).*/, ""))) {
      await page.waitForTimeout(50);
      text = (await Promise.all(page.frames().map(saidIn))).find(Boolean) ?? "";
    }
    if (!text.endsWith("?") || faults.length > 0) throw new Error(`${url} says "${text}"\n${faults.join("\n")}`);
    const more = await act(page);
    if (faults.length > 0) throw new Error(faults.join("\n"));
    return [`asks "${text}"`, more].filter(Boolean).join(", ");
  } finally {
    await context.close();
  }
}

/** Answers the agent that offers drinks, as somebody who likes coffee in the morning and tea in the evening. */
async function taught(page) {
  const like = { morning: "coffee", evening: "tea" };
  const learned = page.locator("#learned", { hasText: "Learned from 48 answers." });
  const yes = page.locator("#yes:enabled");
  for (let answers = 0; answers < 48; answers += 1) {
    await yes.waitFor({ timeout: 240_000 });
    const [, time, drink] = (await page.locator("#said").innerText()).match(/^It is (\w+)\. Would you like (\w+)\?$/);
    await page.locator(like[time] === drink ? "#yes" : "#no").click();
  }
  await learned.waitFor({ timeout: 240_000 });
  const text = await learned.innerText();
  if (!/morning\. I would offer coffee\. It is evening\. I would offer tea\./.test(text)) throw new Error(`it says "${text}"`);
  return "learns what a person likes";
}

/** What the page's console says against it; that there is no graphics adapter is no fault. */
function complains(message) {
  return ["error", "warning"].includes(message.type()) && !/No available adapters/.test(message.text());
}

function saidIn(frame) {
  return frame.evaluate(() => document.querySelector("#said")?.textContent ?? "").catch(() => "");
}

/** How large what was built is. */
function sizes() {
  return (folder) => size(join(folder, "dist"));
}

function size(folder) {
  const files = readdirSync(folder, { recursive: true }).map((name) => join(folder, name)).filter((path) => statSync(path).isFile());
  const sum = (wanted, measure) => files.filter(wanted).reduce((total, path) => total + measure(path), 0);
  const script = (path) => [".js", ".mjs"].includes(extname(path));
  const packedSize = (path) => gzipSync(readFileSync(path)).length;
  return `${kB(sum(() => true, (path) => statSync(path).size))} in all, ${kB(sum(() => true, packedSize))} gzipped; scripts ${kB(sum(script, packedSize))} gzipped`;
}

function kB(bytes) {
  return `${Math.round(bytes / 1000)} kB`;
}

function lint(folder) {
  run(`npx publint --strict ${packed.file} 2>&1`, folder);
  run(`npx attw ${packed.file} --exclude-entrypoints ${NO_SCRIPTS.join(" ")} 2>&1`, folder);
  return "publint and attw find nothing";
}

/** Runs both programs with the Node that is here and with others that npm brings. */
function nodes() {
  return (folder) => {
    const told = [];
    for (const wanted of [null, ...NODES]) {
      const node = wanted ? binaryOf(nodeOf(wanted)) : process.execPath;
      if (!node) {
        told.push(`Node ${wanted} skipped: npm does not bring it`);
        continue;
      }
      const version = run(`${node} --version`, folder).trim();
      for (const program of ["main.js", "main.cjs"]) {
        const said = run(`${node} ${program}`, folder).trim();
        if (!said.endsWith("?")) throw new Error(`${version} ${program} says: ${said}`);
      }
      told.push(version);
    }
    return told.join(", ");
  };
}

/** The same project by Deno and Bun. */
function others() {
  return (folder) => {
    const told = [];
    for (const [name, [installed, start]] of Object.entries(RUNTIMES)) {
      const binary = binaryOf(runtimeOf(name));
      if (!binary) {
        told.push(`${name} skipped: npm does not bring it`);
        continue;
      }
      const said = run(`${start.replace(name, binary)} main.js`, folder).trim();
      if (!said.endsWith("?")) throw new Error(`${name} main.js says: ${said}`);
      told.push(installed);
    }
    return told.join(", ");
  };
}

/** Another Node, as npm brings it: the package, and the program in it. */
function nodeOf(version) {
  const name = `node-${process.platform}-${process.arch}`;
  return { installed: `${name}@${version}`, path: `${name}/bin/node` };
}

/** Plays a game to its end by Cloudflare's runtime: each request has the answers so far, and gets the next question. */
function workerd(thing) {
  return async (folder) => {
    // It says on its first output which port it took.
    const child = spawn("npx workerd serve config.capnp --socket-addr http=127.0.0.1:0 --control-fd=1", { cwd: folder, shell: true, detached: true, env: environment });
    let told = "";
    const port = new Promise((resolve, reject) => {
      child.stdout.on("data", (chunk) => /"port":(\d+)/.test((told += chunk)) && resolve(told.match(/"port":(\d+)/)[1]));
      child.stderr.on("data", (chunk) => (told += chunk));
      child.on("exit", () => reject(new Error(`workerd ended:\n${told}`)));
    });
    try {
      const base = `http://127.0.0.1:${await port}/`;
      const answers = [];
      for (let turn = 1; turn <= 20; turn += 1) {
        const said = await (await fetch(`${base}?answers=${answers}`)).text();
        const question = lastLine({ message: said });
        if (!question.endsWith("?")) throw new Error(`it says: ${said}`);
        if (question.includes(thing)) return `a game in workerd, whose agent finds the ${thing} by question ${turn}`;
        answers.push("no");
      }
      throw new Error(`the agent does not find the ${thing}`);
    } catch (error) {
      throw new Error(`${error.message}\n${told}`);
    } finally {
      process.kill(-child.pid);
    }
  };
}

function runtimeOf(name) {
  return { installed: RUNTIMES[name][0], path: `.bin/${name}` };
}

function programs() {
  return [...NODES.map(nodeOf), ...Object.keys(RUNTIMES).map(runtimeOf)];
}

/** Where npm puts a program: each has a folder of its own. */
function prefixOf({ installed }) {
  return join(work, installed.replaceAll("/", "-"));
}

async function installProgram(program) {
  if (binaryOf(program)) return;
  const prefix = prefixOf(program);
  mkdirSync(prefix, { recursive: true });
  await runAside(`npm install --prefix ${prefix} --no-save --no-audit --no-fund --loglevel=error ${program.installed}`, prefix);
}

/** A program that npm brought; null where it could not. */
function binaryOf(program) {
  const binary = join(prefixOf(program), "node_modules", program.path);
  return existsSync(binary) ? binary : null;
}

function run(line, cwd) {
  return execFileSync("bash", ["-c", line], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], env: environment });
}

/** The same, while others run beside it. */
function runAside(line, cwd) {
  return promisify(execFile)("bash", ["-c", line], { cwd, encoding: "utf8", env: environment });
}

function lastLine(error) {
  return String(error.stderr || error.message).trim().split("\n").at(-1);
}
