// How fast the browser computes beside the terminal, on the same machine in one run: `make bench-web`.
//
// The same work everywhere: the model in the package writes questions of sampled games, one game at a
// time and many side by side, then fine-tunes with the package's defaults. The two take turns, ROUNDS
// times, so that other work on the machine meets both; told are the medians, and in brackets the slowest
// and the fastest. WebGPU is Chromium's software adapter unless ARCHER_GRAPHICS=hardware lets it take
// what there is.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { cpus, loadavg } from "node:os";
import { browse, serve, visit } from "../../../pkg/tests/lib/site.js";
import { measure } from "./measure.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const ROUNDS = 3;
/** Games one at a time, games side by side, iterations; before each that is timed, a part to warm up. */
const WORK = { games: 300, together: 600, iterations: 20 };
/** In software a step takes long, and few are enough to see how long. */
const LESS = { games: 2, together: 2, iterations: 1 };

const MEASURES = {
  firstQuestionMs: { head: "first question", tell: (ms) => `${(ms / 1000).toFixed(2)} s` },
  tokensPerSecond: { head: "tokens/s, one game", tell: whole },
  questionsPerSecond: { head: "questions/s, games side by side", tell: whole },
  iterationsPerMinute: { head: "ArCHer iterations/min", tell: whole },
};

function native({ games, together, iterations }) {
  const program = ["run", "--release", "--quiet", "--package", "archer-wasm", "--example", "terminal_bench"];
  const told = execFileSync("cargo", [...program, "--", ...[games, together, iterations].map(String)], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(told);
}

async function inBrowser(backend, work) {
  const browser = await browse(backend === "cpu" ? "none" : process.env.ARCHER_GRAPHICS ?? "software");
  const site = await serve();
  try {
    const { page } = await visit(browser, site.url);
    if (backend === "cpu") {
      // Once to fill the cache, then as on a second visit.
      await page.evaluate(async () => (await window.archer.load({ backend: "cpu" })).dispose());
      await page.reload();
      await page.waitForFunction(() => window.archer !== undefined);
    }
    return await page.evaluate(measure, { backend, ...work });
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

const load = () => loadavg()[0].toFixed(1);
const before = load();
const terminal = [];
const browser = [];
for (let round = 1; round <= ROUNDS; round++) {
  console.error(`round ${round} of ${ROUNDS}, load ${load()}`);
  terminal.push(native(WORK));
  browser.push(await inBrowser("cpu", WORK));
}
const webgpu = process.argv.includes("--cpu") ? null : await inBrowser("webgpu", LESS);
console.log(`${cpus()[0]?.model}, ${cpus().length} cores; load ${before} before, ${load()} after\n`);
const heads = ["", ...Object.values(MEASURES).map(({ head }) => head)];
console.log(`| ${heads.join(" | ")} |\n|${"---|".repeat(heads.length)}`);
console.log(row("terminal, one thread", terminal));
console.log(row("Chromium, CPU", browser));
console.log(share(terminal, browser));
if (webgpu) console.log(row(`Chromium, WebGPU (${webgpu.backend.adapter})`, [webgpu]));
