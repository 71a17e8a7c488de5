// How fast the browser computes beside the terminal, on the same machine in one run: `make bench-web`.
//
// The same work everywhere: the model in the package writes questions of sampled games, one game at a
// time, then fine-tunes with the package's defaults. WebGPU is Chromium's software adapter unless
// ARCHER_GRAPHICS=hardware lets it take what there is.
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { cpus } from "node:os";
import { browse, serve, visit } from "../../../pkg/tests/lib/site.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const GAMES = 20;
const ITERATIONS = 5;

function native() {
  const program = ["run", "--release", "--quiet", "--package", "archer-wasm", "--example", "terminal_bench"];
  const told = execFileSync("cargo", [...program, "--", String(GAMES), String(ITERATIONS)], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(told);
}

async function inBrowser(backend, games, iterations) {
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
    return await page.evaluate(
      async ({ backend, games, iterations }) => {
        const agent = await window.archer.load({ backend });
        await (await agent.play()).ask({ sample: true });
        const firstQuestionMs = performance.now();
        let tokens = 0;
        let begin = performance.now();
        for (let seed = 1; seed <= games; seed++) {
          const game = await agent.play({ seed });
          for (let turn = 1; turn <= 5; turn++) {
            await game.ask({ sample: true, onText: () => tokens++ });
            if (turn < 5) await game.answer("no");
          }
        }
        const tokensPerSecond = (1000 * tokens) / (performance.now() - begin);
        let done = 0;
        for await (const _ of agent.fineTune({ iterations: iterations + 1, set: { warmup_iter: 0 } })) {
          // The first may compile.
          if (done++ === 0) begin = performance.now();
        }
        const iterationsPerMinute = (60_000 * iterations) / (performance.now() - begin);
        return { backend: agent.backend, firstQuestionMs, tokensPerSecond, iterationsPerMinute };
      },
      { backend, games, iterations },
    );
  } finally {
    site.close();
    await browser.close();
  }
}

console.log(`${cpus()[0]?.model}, ${cpus().length} cores\n`);
console.log("| | first question | tokens/s | ArCHer iterations/min |\n|---|---|---|---|");
tell("terminal, one thread", native());
tell("Chromium, CPU", await inBrowser("cpu", GAMES, ITERATIONS));
// In software a step takes long, and one is enough to see how long.
const webgpu = await inBrowser("webgpu", 2, 1);
tell(`Chromium, WebGPU (${webgpu.backend.adapter})`, webgpu);

function tell(who, { firstQuestionMs, tokensPerSecond, iterationsPerMinute }) {
  const seconds = (firstQuestionMs / 1000).toFixed(2);
  console.log(`| ${who} | ${seconds} s | ${tokensPerSecond.toFixed(0)} | ${iterationsPerMinute.toFixed(2)} |`);
}
