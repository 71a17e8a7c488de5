// A language model under adapters, in Node: the module of its own, and what the terminal computed.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

const { ArcherError, defineWorld, load } = await import("../dist/index.node.js");
const { load: loadSmall } = await import("../dist/cpu.node.js");

const file = new Uint8Array(await readFile(new URL("../../tests/wasm/language.archer", import.meta.url)));

/** The sections of a model file by their names. */
function sections(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = (at, length) => new TextDecoder().decode(bytes.subarray(at, at + length));
  const all = {};
  for (let at = 16, left = view.getUint32(12, true); left > 0; left--) {
    const name = text(at + 1, bytes[at]);
    at += 1 + bytes[at];
    const length = Number(view.getBigUint64(at, true));
    all[name] = bytes.subarray(at + 8, at + 8 + length);
    at += 8 + length;
  }
  return all;
}

/** What was said greedily where the file was made, and its log-probability there. */
const example = JSON.parse(new TextDecoder().decode(sections(file).example));

const world = defineWorld({
  name: "length",
  maxTurns: 2,
  start: () => ({ text: example.observation }),
  act: (_, said) => ({ reply: "Go on.", reward: said.length / 100 }),
});

test("a language model says here what it said in the terminal, learns, and takes its model along", async () => {
  const agent = await load({ model: file, backend: "auto", world });
  assert.equal(agent.backend.backend, "cpu");
  const say = async () => agent.start({ opening: example.observation }).say({ score: true });
  const { text, logProb } = await say();
  assert.equal(text, example.utterance);
  assert.ok(Math.abs(logProb - example.log_prob) < 1e-3, `${logProb} instead of ${example.log_prob}`);
  const score = async (of) => (await of.start({ opening: example.observation }).score([example.utterance]))[0];
  const set = { lm_lr: 0.01, warmup_iter: 0, actor_average: 0, kl_coef: 0 };
  for await (const update of agent.fineTune({ world, iterations: 1, games: 8, set })) assert.equal(update.iteration, 1);
  const learned = await score(agent);
  assert.ok(Math.abs(learned - logProb) > 1e-3, `${learned} after ${logProb}`);
  const out = await agent.export();
  assert.deepEqual(sections(out)["base/model.safetensors"], sections(file)["base/model.safetensors"]);
  const again = await load({ model: out });
  assert.ok(Math.abs((await score(again)) - learned) < 1e-4);
  await again.dispose();
  await agent.dispose();
});

/** A store in memory. */
function memory() {
  const held = new Map();
  return {
    held,
    get: async (name) => held.get(name),
    set: async (name, bytes) => void held.set(name, bytes),
    delete: async (name) => void held.delete(name),
    keys: async () => [...held.keys()],
  };
}

test("what it learned is saved without its model, and goes on beside the same one", async () => {
  const storage = memory();
  const agent = await load({ model: file, world, storage });
  for await (const update of agent.fineTune({ world, iterations: 1, games: 8 })) assert.equal(update.iteration, 1);
  const whole = await agent.export();
  const saved = await agent.save("mine", { base: false });
  const base = sections(file)["base/model.safetensors"];
  assert.equal(saved.bytes, whole.length - base.length - "base/model.safetensors".length - 9);
  const alone = await agent.export({ base: false });
  assert.equal(sections(alone)["base/model.safetensors"], undefined);
  await agent.dispose();
  // Beside the model of a file that is read where it lies, and of one in memory.
  for (const model of [new Blob([file]), file]) {
    const again = await load({ model, world, storage });
    await again.restore("mine");
    const back = sections(await again.export());
    for (const [name, bytes] of Object.entries(sections(whole))) assert.deepEqual(back[name], bytes, name);
    for await (const update of again.fineTune({ world, iterations: 1, resume: true })) assert.equal(update.iteration, 1);
    assert.equal(again.info.trained.iterations, 1 + agent.info.trained.iterations);
    await again.dispose();
  }
});

test("adapters alone are refused beside another model, and by a load, with what to do", async () => {
  const agent = await load({ model: file });
  const alone = await agent.export({ base: false });
  await agent.dispose();
  await assert.rejects(load({ model: alone }), { name: "ArcherError", code: "bad-model" });
  const other = await load({ backend: "cpu" });
  await assert.rejects(other.import(alone), { code: "bad-model", message: /another model/, hint: /SHA-256/ });
  assert.deepEqual(await other.export({ base: false }), await other.export(), "an agent without adapters has no such model");
  await other.dispose();
});

test("the small module has no language model, and says where one is computed", async () => {
  await assert.rejects(loadSmall({ model: file }), (error) => {
    assert.ok(error instanceof ArcherError || error.name === "ArcherError");
    assert.equal(error.code, "bad-model");
    assert.match(error.message, /language model/);
    assert.match(error.hint, /archer-web/);
    return true;
  });
});

test("WebGPU is told to be of no use for it", async () => {
  const agent = await load({ model: file, backend: "webgpu" });
  assert.deepEqual([agent.backend.backend, agent.backend.refused?.code], ["cpu", "no-webgpu"]);
  await agent.dispose();
});
