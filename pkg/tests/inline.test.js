// archer-web/inline: one script, which is given no address and finds no other file.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url));
const script = read("dist/inline.js");
const { create, defineWorld, load, ArcherError } = await import(`data:text/javascript;base64,${script.toString("base64")}`);
const model = read("models/quickstart.archer");

/** Lets the agent ask until it names the thing; a stand-in for the world, which knows nothing else. */
async function guessed(agent, thing, turns = 20) {
  const talk = agent.start({ opening: "Questions:\n" });
  for (let turn = 1; turn <= turns; turn += 1) {
    const { text } = await talk.say({ score: false });
    if (text.includes(thing)) return turn;
    talk.hear("No.", { reward: -1 });
  }
  return null;
}

test("it is one file, which asks for no other", () => {
  // Advice in texts may speak of addresses.
  const code = script.toString().replaceAll(/"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'/g, '""');
  assert.doesNotMatch(code, /\bimport\.meta\b|\bfrom ""|\bimport\(""/);
});

test("an agent talks, where the model is bytes and the script has no address", async () => {
  const agent = await load({ model });
  assert.deepEqual([agent.backend.backend, agent.backend.reason], ["cpu", "You chose the CPU."]);
  assert.ok((await guessed(agent, "computer")) > 1);
  const second = await load({ model });
  assert.equal(await guessed(second, "computer"), await guessed(agent, "computer"), "the program is unpacked once, for all");
  await agent.dispose();
  await second.dispose();
});

test("an agent is made and learns", async () => {
  const choices = ["open", "knock"];
  const world = defineWorld({
    name: "door",
    maxTurns: 1,
    start: () => ({ text: "You stand before a door.", choices }),
    act: (_, said) => ({ reply: said === "open" ? "It opens." : "Nobody answers.", reward: Number(said === "open"), end: "over" }),
  });
  const agent = await create({ world, seed: 1 });
  for await (const { iteration } of agent.fineTune({ world, iterations: 1, games: 8 })) assert.equal(iteration, 1);
  await agent.dispose();
});

test("another program is taken where one is given, and what cannot be is refused as everywhere", async () => {
  const module = await WebAssembly.compile(read("dist/archer-cpu_bg.wasm"));
  const agent = await load({ model, wasm: { cpu: module } });
  await agent.dispose();
  for (const options of [null, {}, { modle: model }, { model, wasm: 3 }, { model, thread: "worker" }, { model, wasm: { webgpu: module } }]) {
    await assert.rejects(load(options), (error) => error instanceof ArcherError && error.code === "usage");
  }
});
