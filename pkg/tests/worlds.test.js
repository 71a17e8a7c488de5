// Worlds in JavaScript: an agent from nothing, in Node, from the package's own scripts.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

const { ArcherError, create, defineWorld, load } = await import("../dist/index.node.js");
const { play } = await import("../dist/twenty-questions.node.js");

const CHOICES = ["open", "take", "wait"];
const OPENING = "A locked door. A key lies here.";

/** Take the key, then open the door; anything else costs. `fails` breaks a rule when it is set. */
function door({ fails = () => null, ...more } = {}) {
  return defineWorld({
    name: "door",
    maxTurns: 5,
    best: 1,
    start: () => ({ text: OPENING, choices: CHOICES, state: { key: false } }),
    act(state, said) {
      const failure = fails();
      if (failure) return failure();
      if (said === "take" && !state.key) return { reply: "You have the key.", reward: 0, choices: CHOICES, state: { key: true } };
      if (said === "open" && state.key) return { reply: "It opens.", reward: 1, end: "won" };
      return { reply: "Nothing happens.", reward: -0.1, choices: CHOICES };
    },
    ...more,
  });
}

const quiet = { set: { rollout_size: 16 } };

test("an agent from nothing learns a world that was just written, talks, and goes on from its file", async () => {
  const world = door();
  const agent = await create({ world, seed: 1, ...quiet });
  assert.equal(agent.info.world, "door");
  const updates = [];
  for await (const update of agent.fineTune({ world, iterations: 20 })) updates.push(update);
  assert.deepEqual([updates.length, updates[0].phase, updates[0].games], [20, "learn", 16]);
  const { meanReturn, winRate } = await agent.evaluate({ games: 20 });
  assert.deepEqual([meanReturn, winRate], [1, 1]);

  // It tells the games that the evaluation played, and they are games for learnFrom.
  const [game, ...others] = await agent.playGames({ games: 3 });
  assert.equal(others.length, 2);
  assert.deepEqual([game.world, game.opening, game.end], ["door", `${OPENING}\n`, "won"]);
  assert.deepEqual(game.turns.map(({ said, reply, reward }) => [said, reply, reward]), [["take", "You have the key.", 0], ["open", "It opens.", 1]]);
  assert.deepEqual([game.choices, game.turns[0].choices], [CHOICES, CHOICES]);
  assert.deepEqual(await agent.playGames({ games: 3, oneByOne: true }), [game, ...others]);
  await assert.rejects(agent.playGames({ games: 1001 }), { code: "usage", hint: /1000/ });

  const talk = agent.start({ opening: OPENING, choices: CHOICES });
  const said = await talk.say({ alternatives: 5 });
  assert.equal(said.text, "take");
  const all = [said, ...said.alternatives].map(({ logProb }) => Math.exp(logProb));
  assert.ok(Math.abs(all.reduce((sum, p) => sum + p) - 1) < 1e-4, "every choice has its share");
  await assert.rejects(talk.say(), { code: "usage" });
  talk.hear("You have the key.", { choices: CHOICES });
  assert.equal((await talk.say()).text, "open");
  talk.undo();
  assert.equal(talk.open, null);
  talk.force("wait");
  talk.hear("Nothing happens.", { reward: -0.1, choices: CHOICES });
  const [open] = await talk.score(["open"]);
  assert.ok(open < 0);
  assert.deepEqual(talk.record("cut").turns.map((turn) => turn.said), ["take", "wait"]);

  // Its file knows its world by name; with the world it learns on, without it it talks.
  const again = await load({ model: await agent.export() });
  assert.deepEqual([again.info.world, again.info.maxTurns, again.info.trained.games], ["door", 5, 320]);
  assert.equal((await again.start({ opening: OPENING, choices: CHOICES }).say()).text, "take");
  await assert.rejects(again.evaluate({ games: 2 }), { code: "usage", message: /door .* is not here/, hint: /world/ });
  await assert.rejects(async () => {
    for await (const _ of again.fineTune());
  }, { code: "usage", message: /not here/ });
  for await (const update of again.fineTune({ world, iterations: 1, resume: true })) assert.equal(update.iterations, 1);
  await assert.rejects(play(again), { code: "usage" });
  await again.dispose();
  await agent.dispose();
});

test("a world may be asynchronous, and may be a module with options", async () => {
  const folder = mkdtempSync(join(tmpdir(), "archer-world-"));
  try {
    const file = join(folder, "coin.mjs");
    writeFileSync(file, `export default ({ good }) => ({
      name: "coin", maxTurns: 1,
      async start({ seed }) { await null; return { text: "Heads or tails?", choices: ["heads", "tails"], state: seed }; },
      async act(_, said) { await null; return { reply: "So.", reward: said === good ? 1 : 0, end: "over" }; },
    });`);
    const world = { module: pathToFileURL(file), options: { good: "tails" } };
    const agent = await create({ world, ...quiet });
    for await (const _ of agent.fineTune({ iterations: 12 }));
    assert.equal((await agent.evaluate({ games: 10 })).meanReturn, 1);
    await agent.dispose();
    await assert.rejects(create({ world: pathToFileURL(join(folder, "none.mjs")) }), { code: "world", message: /none\.mjs could not be loaded/ });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("demonstrations are imitated first, with progress", async () => {
  const turns = [
    { said: "take", reply: "You have the key.", choices: CHOICES },
    { said: "open", reply: "It opens.", reward: 1 },
  ];
  const world = door({ demonstrations: [{ opening: OPENING, choices: CHOICES, turns, end: "won" }] });
  const steps = [];
  const agent = await create({
    world,
    set: { "warm_start.steps": 40 },
    onProgress: ({ stage, loaded, total }) => stage === "imitate" && steps.push([loaded, total]),
  });
  assert.deepEqual(steps, [[8, 40], [16, 40], [24, 40], [32, 40], [40, 40]]);
  assert.equal((await agent.evaluate({ games: 5, world })).meanReturn, 1);
  await agent.dispose();
});

test("games that a person played are learned from", async () => {
  const agent = await create({ world: door(), seed: 3, ...quiet });
  const game = (said, reply, reward, end) => ({ opening: OPENING, choices: CHOICES, turns: said.map((text, i) => ({ said: text, reply: reply[i], reward: reward[i], choices: CHOICES })), end });
  const games = Array.from({ length: 10 }, () => [
    game(["take", "open"], ["You have the key.", "It opens."], [0, 1], "won"),
    game(["wait", "wait"], ["Nothing happens.", "Nothing happens."], [-0.1, -0.1], "cut"),
    game(["open", "open"], ["Nothing happens.", "Nothing happens."], [-0.1, -0.1], "cut"),
  ]).flat();
  const score = async () => (await agent.start({ opening: OPENING, choices: CHOICES }).score(["take"]))[0];
  await assert.rejects(async () => {
    for await (const _ of agent.learnFrom([]));
  }, { code: "usage" });
  const before = await score();
  for await (const { games: played } of agent.learnFrom(games, { iterations: 8, set: { lm_lr: 1e-3, critic_lr: 2e-3, kl_coef: 0 } })) assert.equal(played, 0);
  assert.ok((await score()) > before);
  const { said, alternatives } = await agent.start({ opening: OPENING, choices: CHOICES }).inspect();
  assert.deepEqual([said, alternatives[0].text], [null, "take"]);
  await agent.dispose();
});

test("a loaded model learns in the world that load was told, and after a rollback in that again", async () => {
  const [world, richer] = [door(), door({ name: "vault", settings: { prize: 5 } })];
  const made = await create({ world, ...quiet });
  const model = await made.export();
  await made.dispose();
  const asked = [];
  const agent = await load({ model, world: ({ info }) => (asked.push(info.world), info.world === "door" ? world : undefined) });
  const evaluated = async () => (await agent.evaluate({ games: 3 })).games;
  assert.equal(await evaluated(), 3);
  for await (const _ of agent.fineTune({ world: richer, iterations: 1, games: 4 }));
  assert.equal(agent.info.world, "vault");
  assert.equal(await evaluated(), 3);
  await agent.rollback();
  assert.equal(agent.info.world, "door");
  for await (const _ of agent.fineTune({ iterations: 1, games: 4 }));
  assert.equal(agent.info.world, "door");
  assert.deepEqual(asked, ["door", "door"], "it is asked where nothing better is known");
  await agent.dispose();

  const wrong = await load({ model, world: () => { throw new Error("no such door"); } });
  await assert.rejects(wrong.evaluate({ games: 1 }), { name: "ArcherError", code: "world", message: "The world of load threw: no such door" });
  const talk = wrong.start({ opening: OPENING, choices: CHOICES, open: "take" });
  assert.equal(talk.open, "take");
  talk.hear("You have the key.", { choices: CHOICES });
  assert.deepEqual(Object.keys(await talk.say({ score: false })), ["text"]);
  await wrong.dispose();
});

test("a world that throws, breaks a rule or is late ends the fine-tune, and the model is what it was", async () => {
  let failure = null;
  const world = door({ fails: () => failure, timeLimit: 50 });
  const agent = await create({ world, ...quiet });
  const file = await agent.export();
  for (const [fails, message] of [
    [() => { throw new TypeError("x is not a function"); }, /threw in act: TypeError: x is not a function/],
    [() => ({ reply: "y", reward: NaN }), /a reward is a finite number; it was NaN/],
    [() => ({ reply: 3, reward: 0 }), /a reply is text; it was 3/],
    [() => ({ reply: "y", reward: 0, end: "lost" }), /end is null, "won", "over" or "cut"; it was "lost"/],
    [() => ({ reply: "y", reward: 0, choices: [] }), /choices hold at least one/],
    [() => new Promise(() => {}), /act answers within 0\.05 s/],
    [() => null, /act gives an object/],
  ]) {
    failure = fails;
    await assert.rejects(async () => {
      for await (const _ of agent.fineTune({ world, iterations: 1 }));
    }, (error) => {
      assert.ok(error instanceof ArcherError && error.code === "world", `${error.code}: ${error.message}`);
      assert.match(error.message, message);
      return true;
    });
    assert.deepEqual(await agent.export(), file);
  }
  failure = null;
  for await (const { games } of agent.fineTune({ world, iterations: 1 })) assert.equal(games, 16);
  await agent.dispose();
  for (const [definition, message] of [
    [{ name: "two words", maxTurns: 1, start() {}, act() {} }, /one word/],
    [{ name: "a", maxTurns: 0, start() {}, act() {} }, /maxTurns/],
    [{ name: "a", maxTurns: 1, start() {} }, /act is a function/],
    [{ name: "a", maxTurns: 1, start() {}, act() {}, reset() {} }, /no reset/],
  ]) {
    assert.throws(() => defineWorld(definition), { code: "usage", message });
  }
});
