// Where there is not enough memory: what is under way is rejected, the program or page lives on, and the next load works.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { browse, serve, visit } from "./lib/site.js";

/** The package and its games, as Node imports them. */
const DIST = ["index", "twenty-questions"].map((name) => fileURLToPath(new URL(`../dist/${name}.node.js`, import.meta.url)));

/** Pages of 64 kB that V8 grants a module: too few to load the small model, and enough for that but not for many games. */
const [TOO_FEW, FEW] = [55, 120];

/** In Node and in a page alike: loads, learns from more games than there is memory for, and plays on; what came of each. */
const TRY = `async (archer, thread) => {
  const tried = (act) => act().then((value) => value ?? "done", (error) => error.name + " " + error.code);
  const asked = async (agent) => (await (await archer.play(agent)).ask()).question.endsWith("?");
  const load = () => archer.load({ model: archer.models.quickstart, world: archer.worldOf, backend: "cpu", thread });
  const seen = [];
  let agent;
  seen.push(await tried(async () => void (agent = await load())));
  if (agent) {
    const games = { iterations: 1, games: 512, set: { epochs: 1 } };
    // Another call that is under way is rejected, too, or answered before; none waits for ever.
    const beside = tried(() => agent.evaluate({ games: 20_000 }));
    seen.push(await tried(async () => { for await (const _ of agent.fineTune(games)); }), await beside);
    seen.push(await tried(() => asked(agent)));
    await agent.dispose();
  }
  seen.push(await tried(async () => asked(await load())));
  return seen;
}`;

const out = "ArcherError out-of-memory";

test("in Node the process lives, and its next load works", () => {
  const [own, games] = DIST.map((file) => `...(await import(${JSON.stringify(file)}))`);
  const program = `const archer = { ${own}, ${games} }; console.log(JSON.stringify(await (${TRY})(archer, "here")));`;
  const ran = (pages) =>
    JSON.parse(execFileSync(process.execPath, [`--wasm-max-mem-pages=${pages}`, "--input-type=module", "-e", program], { encoding: "utf8" }));
  assert.deepEqual(ran(FEW), ["done", out, out, true, true]);
  assert.deepEqual(ran(TOO_FEW), [out, out]);
});

for (const thread of ["worker", "here"]) {
  test(`in a page, computed in ${thread}, nothing waits for ever, and the next load works`, async () => {
    const site = await serve();
    try {
      for (const [pages, expected] of [[FEW, ["done", out, out, true, true]], [TOO_FEW, [out, out]]]) {
        const browser = await browse("none", `--js-flags=--wasm-max-mem-pages=${pages}`);
        try {
          const { page, faults } = await visit(browser, site.url);
          assert.deepEqual(await page.evaluate(`(${TRY})(archer, ${JSON.stringify(thread)})`), expected, `${pages} pages`);
          assert.deepEqual(faults, []);
        } finally {
          await browser.close();
        }
      }
    } finally {
      site.close();
    }
  });
}

/** The games' module has memory of its own: a question that there is no room for ends its instance, and the next game has another one. */
const TRY_GAME = `async (archer) => {
  const tried = (act) => act().then((value) => value ?? "done", (error) => error.name + " " + error.code);
  const agent = await archer.load({ model: archer.models.quickstart, world: archer.worldOf, backend: "cpu" });
  const hosted = await archer.host(agent);
  const seen = [await tried(() => hosted.ask("x".repeat(20e6))), await tried(() => hosted.ask("Is it alive?"))];
  const next = await archer.host(agent, { thing: "dog" });
  seen.push((await next.ask("Is it alive?")).turns[0].reply, hosted.state.turns.length);
  await agent.dispose();
  return seen;
}`;

test("a game that there is no memory for is given up, and the next one is played", async () => {
  const [own, games] = DIST.map((file) => `...(await import(${JSON.stringify(file)}))`);
  const program = `const archer = { ${own}, ${games} }; console.log(JSON.stringify(await (${TRY_GAME})(archer)));`;
  const node = [`--wasm-max-mem-pages=${FEW}`, "--input-type=module", "-e", program];
  assert.deepEqual(JSON.parse(execFileSync(process.execPath, node, { encoding: "utf8" })), [out, out, "Yes.", 0]);
  const [site, browser] = await Promise.all([serve(), browse("none", `--js-flags=--wasm-max-mem-pages=${FEW}`)]);
  try {
    const { page, faults } = await visit(browser, site.url);
    assert.deepEqual(await page.evaluate(`(${TRY_GAME})(archer)`), [out, out, "Yes.", 0]);
    assert.deepEqual(faults, []);
  } finally {
    await browser.close();
    site.close();
  }
});
