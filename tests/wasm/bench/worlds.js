// How fast worlds are learned and played in Chromium on the CPU: `make bench-worlds`.
//
// First each world of the playground, as a visitor has it: seconds until the agent is there, until it has learned for
// the iterations that the page asks for, and its mean return over 100 games before (sampled, as a visitor sees it) and
// after (greedy). Then exchanges a second in one world that stands in four places: in Rust in the games' module, in
// JavaScript beside the agent in the worker, in JavaScript in the page, and in the page by promises.
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { browse, serve, visit } from "../../../pkg/tests/lib/site.js";

const at = (path) => new URL(`../../../web/src/make/${path}`, import.meta.url);
const ROUNDS = 3;

/** The playground's worlds by file, and the iterations that it asks for. */
function playground() {
  const list = readFileSync(at("worlds.ts"), "utf8");
  const files = new Map([...list.matchAll(/import (\w+) from "\.\/worlds\/([\w-]+)\.js/g)].map((match) => [match[1], match[2]]));
  return [...list.matchAll(/title: "([^"]+)", code: (\w+), iterations: (\d+)/g)].map(([, title, code, iterations]) => ({
    title,
    iterations: Number(iterations),
    code: readFileSync(at(`worlds/${files.get(code)}.js`), "utf8").replace("export default", "return"),
  }));
}

/** Eight letters, one to be remembered over three turns: what crates/games has as `recall`. */
const RECALL = `
const LETTERS = "ABCDEFGH";
export default {
  name: "recall", maxTurns: 4, tasks: 8, oneLine: true,
  start({ task, seed }) {
    const letter = LETTERS[task ?? seed % 8];
    return { text: "Remember " + letter + ".\\n", state: { letter, turns: 0, chance: seed } };
  },
  act(state, said) {
    const turns = state.turns + 1;
    if (turns === 4) return { reply: said === state.letter ? "Right." : "Wrong.", reward: said === state.letter ? 1 : 0, end: said === state.letter ? "won" : "over" };
    const chance = (state.chance * 69069 + 1) % 4294967296;
    return { reply: "Ignore " + LETTERS[Math.floor(chance / 1024) % 8] + "." + (turns === 3 ? " Which letter?" : ""), reward: 0, state: { ...state, turns, chance } };
  },
};
`;

async function learned({ code, iterations }) {
  const { create, defineWorld } = window.archer;
  const world = new Function("defineWorld", code)(defineWorld);
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  const agent = await create({ world, size: "tiny", seed: 1, backend: "cpu" });
  const created = seconds();
  const before = await agent.evaluate({ games: 100, world, sample: true });
  const start = seconds();
  for await (const _ of agent.fineTune({ world, iterations })) void _;
  const trained = created + seconds() - start;
  const after = await agent.evaluate({ games: 100, world });
  await agent.dispose();
  return { created, trained, before: before.meanReturn, after: after.meanReturn };
}

async function exchanged({ module, games, rounds }) {
  const { create, defineWorld } = window.archer;
  const address = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
  const { default: plain } = await import(address);
  const here = defineWorld(plain);
  const promised = defineWorld({ ...plain, start: async (start) => plain.start(start), act: async (...turn) => plain.act(...turn) });
  const game = (letter) => ({
    opening: "Remember " + letter + ".\n",
    turns: [..."BCA"].map((other, turn) => ({ said: "ok", reply: "Ignore " + other + "." + (turn === 2 ? " Which letter?" : ""), reward: 0 })).concat({ said: letter, reply: "Right.", reward: 1 }),
    end: "won",
  });
  const demonstrations = [..."ABCDEFGH"].map(game);
  const agent = await create({ world: here, demonstrations, backend: "cpu", set: { "warm_start.steps": 50 } });
  const places = { "Rust in the games' module": { builtIn: "games", settings: { name: "recall" } }, "JavaScript in the worker": address, "JavaScript in the page": here, "the same by promises": promised };
  const told = Object.fromEntries(Object.keys(places).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, world] of Object.entries(places)) {
      const began = performance.now();
      const { meanTurns } = await agent.evaluate({ games, world });
      if (round > 0) told[name].push((1000 * games * meanTurns) / (performance.now() - began));
    }
  }
  await agent.dispose();
  return told;
}

const browser = await browse("none");
const site = await serve();
try {
  const { page } = await visit(browser, site.url);
  console.log(`${cpus().length} cores (${cpus()[0].model}), load ${loadavg()[0].toFixed(1)}; Chromium ${browser.version()}\n`);
  console.log("| world | agent there | trained | iterations | mean return before | after |\n|---|---|---|---|---|---|");
  for (const world of playground()) {
    const { created, trained, before, after } = await page.evaluate(learned, world);
    console.log(`| ${world.title} | ${created.toFixed(1)} s | ${trained.toFixed(1)} s | ${world.iterations} | ${before.toFixed(2)} | ${after.toFixed(2)} |`);
  }
  const told = await page.evaluate(exchanged, { module: RECALL, games: 2000, rounds: ROUNDS });
  console.log("\n| the world stands in | exchanges/s, side by side |\n|---|---|");
  for (const [name, speeds] of Object.entries(told)) {
    const [low, middle, high] = speeds.sort((a, b) => a - b);
    console.log(`| ${name} | ${middle.toFixed(0)} (${low.toFixed(0)} to ${high.toFixed(0)}) |`);
  }
} finally {
  site.close();
  await browser.close();
}
