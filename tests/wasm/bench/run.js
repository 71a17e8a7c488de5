// How fast the browser computes beside the terminal, on the same machine in one run: `make bench-web`.
//
// The same work everywhere: each model in the package writes questions of sampled games, one game at a
// time and many side by side, then fine-tunes with the package's defaults. The two take turns, ROUNDS
// times, so that other work on the machine meets both; told are the medians, and in brackets the slowest
// and the fastest. WebGPU comes last and does less, once: with the small model on Chromium's software adapter,
// or with ARCHER_GRAPHICS=hardware with both models on the machine's own.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { cpus, loadavg } from "node:os";
import { browse, serve, visit } from "../../../pkg/tests/lib/site.js";
import { measure } from "./measure.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const ROUNDS = 3;
/** For each model games one at a time, games side by side, iterations; before each that is timed, a part to warm up. */
const WORK = {
  twentyQuestions: { file: "twenty-questions", what: "157 words, what a page begins with", games: 60, together: 300, iterations: 5 },
  quickstart: { file: "quickstart", what: "ten words", games: 300, together: 600, iterations: 20 },
};
/** On WebGPU a step takes long, in software most of all, and few are enough to see how long. */
const GRAPHICS = process.env.ARCHER_GRAPHICS ?? "software";
const LESS = GRAPHICS === "software" ? { games: 2, together: 2, iterations: 1 } : { games: 10, together: 64, iterations: 3 };

const MEASURES = {
  firstQuestionMs: { head: "first question", tell: (ms) => `${(ms / 1000).toFixed(2)} s` },
  tokensPerSecond: { head: "tokens/s, one game", tell: whole },
  aloneQuestionsPerSecond: { head: "questions/s, one game, by itself", tell: whole },
  questionsPerSecond: { head: "questions/s, games side by side", tell: whole },
  iterationsPerMinute: { head: "ArCHer iterations/min", tell: whole },
};

/** Builds the terminal's side, with the whole workspace: alone it would be built from other features, all anew. */
function build() {
  const program = ["build", "--release", "--workspace", "--example", "terminal_bench", "--features", "archer-wasm/bench", "--message-format", "json"];
  const told = execFileSync("cargo", program, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 26 });
  const built = told.trim().split("\n").map((line) => JSON.parse(line));
  return built.find(({ target, executable }) => executable && target.name === "terminal_bench").executable;
}

function native(program, { file, games, together, iterations }) {
  const model = `${root}pkg/models/${file}.archer`;
  const args = [model, ...[games, together, iterations].map(String)];
  return JSON.parse(execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }));
}

async function inBrowser(backend, model, work) {
  const browser = await browse(backend === "cpu" ? "none" : GRAPHICS);
  const site = await serve();
  try {
    const { page } = await visit(browser, site.url);
    if (backend === "cpu") {
      // Once to fill the cache, then as on a second visit.
      const once = async (model) => (await window.archer.load({ backend: "cpu", model: window.archer.models[model] })).dispose();
      await page.evaluate(once, model);
      await page.reload();
      await page.waitForFunction(() => window.archer !== undefined);
    }
    return await page.evaluate(measure, { backend, model, ...work });
  } finally {
    site.close();
    await browser.close();
  }
}

function whole(value) {
  return value < 10 ? value.toFixed(2) : value.toFixed(0);
}

function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** A row of the table. */
function row(who, runs) {
  const cells = Object.entries(MEASURES).map(([name, { tell }]) => {
    const values = runs.map((run) => run[name]);
    const spread = runs.length > 1 ? ` (${tell(Math.min(...values))} to ${tell(Math.max(...values))})` : "";
    return tell(median(values)) + spread;
  });
  return `| ${[who, ...cells].join(" | ")} |`;
}

/** The browser's share of the terminal's speed, measure by measure. */
function share(terminal, browser) {
  const cells = Object.keys(MEASURES).map((name) => {
    if (name === "firstQuestionMs") return "";
    const ratio = median(browser.map((run) => run[name])) / median(terminal.map((run) => run[name]));
    return `${Math.round(100 * ratio)} %`;
  });
  return `| share | ${cells.join(" | ")} |`;
}

const program = build();
const load = () => loadavg()[0].toFixed(1);
const before = load();
const heads = ["", ...Object.values(MEASURES).map(({ head }) => head)];
const table = [`| ${heads.join(" | ")} |`, `|${"---|".repeat(heads.length)}`];
for (const [model, work] of Object.entries(WORK)) {
  const terminal = [];
  const browser = [];
  for (let round = 1; round <= ROUNDS; round++) {
    console.error(`${model}, round ${round} of ${ROUNDS}, load ${load()}`);
    terminal.push(native(program, work));
    browser.push(await inBrowser("cpu", model, work));
  }
  table.push(row(`${work.what}: terminal, one thread`, terminal), row("Chromium, CPU", browser), share(terminal, browser));
}
if (!process.argv.includes("--cpu")) {
  for (const model of GRAPHICS === "software" ? ["quickstart"] : Object.keys(WORK)) {
    const webgpu = await inBrowser("webgpu", model, LESS);
    if (webgpu.backend.backend !== "webgpu") throw new Error(webgpu.backend.reason);
    table.push(row(`${WORK[model].what}: Chromium, WebGPU (${webgpu.backend.adapter}), once`, [webgpu]));
  }
}
console.log(`${cpus()[0]?.model}, ${cpus().length} cores; load ${before} before, ${load()} after\n`);
console.log(table.join("\n"));
