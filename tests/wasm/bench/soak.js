// Whether a page that loads and frees agents again and again, or plays game after game, grows: `make soak-web`.
//
// Chromium visits a page with the built package. It loads the small model and frees it LOADS times, then plays
// GAMES games with one agent, one after the other. Told is the memory of all of Chromium's processes (their
// proportional share of each page of memory) after a collection, at even steps. It ends with 1 where the median of
// the last third lies more than 5 % above that of the middle third: what grows with the work grows there.
//
// Chromium keeps some 170 of the last responses that a page has read as streams, whoever reads them, so the first 170
// loads add the size of the model each. The default of 600 looks beyond that.
//
//   node tests/wasm/bench/soak.js --loads 600 --games 1000
import { readdirSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { browse, serve, visit } from "../../../pkg/tests/lib/site.js";

const STEPS = 20;
const ALLOWED = 0.05;
const { values } = parseArgs({ options: { loads: { type: "string", default: "600" }, games: { type: "string", default: "1000" } } });

/** The processes that descend from this one. */
function family() {
  const parents = new Map();
  for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${id}/stat`, "utf8");
      parents.set(Number(id), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const found = new Set([process.pid]);
  for (let before = 0; before < found.size; ) {
    before = found.size;
    for (const [id, parent] of parents) if (found.has(parent)) found.add(id);
  }
  found.delete(process.pid);
  return found;
}

/** Their memory in MiB. */
function memory() {
  let kib = 0;
  for (const id of family()) {
    try {
      kib += Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, "utf8"))?.[1] ?? 0);
    } catch {
      // It has ended meanwhile.
    }
  }
  return kib / 1024;
}

const load = async (times) => {
  for (let i = 0; i < times; i++) {
    const agent = await window.archer.load({ backend: "cpu" });
    await (await window.archer.play(agent)).ask();
    await agent.dispose();
  }
};

const begin = async () => {
  window.player = await window.archer.load({ backend: "cpu" });
  window.seed = 0;
};

const play = async (times) => {
  for (let i = 0; i < times; i++) {
    const game = await window.archer.play(window.player, { seed: ++window.seed });
    for (let turn = 0; game.state.status === "ask"; turn++) {
      await game.ask({ sample: true });
      await game.answer((window.seed >> (turn % 8)) & 1 ? "yes" : "no");
    }
  }
};

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Does the work in STEPS parts and tells the memory after each; whether it is flat. */
async function watched(what, page, collect, work, times) {
  const part = Math.ceil(times / STEPS);
  const seen = [];
  for (let done = 0; done < times; done += part) {
    await page.evaluate(work, Math.min(part, times - done));
    await collect();
    seen.push(memory());
  }
  const third = Math.floor(seen.length / 3);
  const [middle, last] = [median(seen.slice(third, 2 * third)), median(seen.slice(2 * third))];
  const flat = last <= middle * (1 + ALLOWED);
  console.log(`${times} ${what}: ${seen.map((mib) => mib.toFixed(0)).join(" ")} MiB; ${flat ? "flat" : "it grows"}: median of the middle third ${middle.toFixed(1)}, of the last ${last.toFixed(1)}`);
  return flat;
}

const browser = await browse("none");
const site = await serve();
try {
  const { page, faults } = await visit(browser, site.url);
  const session = await page.context().newCDPSession(page);
  const collect = async () => {
    await session.send("HeapProfiler.collectGarbage");
    await new Promise((done) => setTimeout(done, 500));
  };
  let flat = await watched("times a model loaded, asked once and freed", page, collect, load, Number(values.loads));
  await page.evaluate(begin);
  flat = (await watched("games one after the other", page, collect, play, Number(values.games))) && flat;
  faults.forEach((fault) => console.log(`complaint of the page: ${fault}`));
  process.exitCode = flat && faults.length === 0 ? 0 : 1;
} finally {
  site.close();
  await browser.close();
}
