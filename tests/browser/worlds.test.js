// The six worlds of the page, played by chance in Node: they keep the rules that a world has to keep, and a player of
// chance is worse than the best that they promise.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";

const folder = new URL("../../web/src/make/worlds/", import.meta.url);
globalThis.defineWorld = (world) => world;
const files = (await readdir(folder)).filter((file) => file.endsWith(".js")).sort();

/** A game in which the n-th choice of each turn is drawn from the seed; what was seen, and its return. */
async function play(world, seed) {
  let drawn = seed;
  const seen = [];
  const opening = await world.start({ seed, task: null });
  let { state, choices } = opening;
  seen.push(opening.text, choices);
  let total = 0;
  for (let turn = 1; turn <= world.maxTurns; turn += 1) {
    assert.ok(choices.length > 0 && new Set(choices).size === choices.length, `${world.name}: ${choices}`);
    drawn = (drawn * 48271 + 11) % 2147483647;
    const said = choices[drawn % choices.length];
    const before = JSON.stringify(state);
    const told = await world.act(state, said);
    assert.equal(JSON.stringify(state), before, `${world.name} changes the state that it was handed`);
    assert.ok(typeof told.reply === "string" && Number.isFinite(told.reward), `${world.name} after ${said}`);
    assert.ok([null, undefined, "won", "over", "cut"].includes(told.end));
    total += told.reward;
    seen.push(said, told.reply, told.reward, told.end);
    if (told.end) return { seen, total, end: told.end };
    ({ state, choices } = told);
  }
  return { seen, total, end: "cut" };
}

test("there are six", () => assert.equal(files.length, 6));

for (const file of files) {
  test(`${file}: the same seed is the same game, and chance is no match for it`, async () => {
    const { default: world } = await import(new URL(file, folder));
    const totals = [];
    const openings = new Set();
    for (let seed = 0; seed < 300; seed += 1) {
      const [one, other] = [await play(world, seed), await play(world, seed)];
      assert.deepEqual(one, other);
      totals.push(one.total);
      openings.add(JSON.stringify(one.seen));
    }
    assert.ok(openings.size > 20, `${openings.size} different games`);
    const mean = totals.reduce((sum, total) => sum + total, 0) / totals.length;
    if (world.best !== undefined) {
      assert.ok(mean < world.best - 0.3, `chance gets ${mean} of ${world.best}`);
      if (world.tasks === undefined) assert.ok(Math.max(...totals) <= world.best + 1e-9, `${Math.max(...totals)} is more than the best`);
    }
    // Code that comes with a link must fit into one.
    assert.ok((await readFile(new URL(file, folder))).length < 5000);
  });
}
