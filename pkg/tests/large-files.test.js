// Large model files by their addresses, in Node: fetched once, mended where they break off, never mixed, looked at first.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import { padded, serveFile } from "./lib/files.js";

const { ArcherError, describe, fetchModel, forgetModel, keptModels, load } = await import("../dist/index.node.js");

const small = new Uint8Array(await readFile(new URL("../../tests/wasm/language.archer", import.meta.url)));
const large = padded(small, 20e6);
const open = [];
const serve = async (given) => {
  const file = await serveFile({ bytes: large, ...given });
  open.push(file);
  return file;
};
after(() => open.forEach((file) => file.close()));

const bytesOf = async (blob) => Buffer.from(await blob.arrayBuffer());

test("a large file is one request, tells its progress, and the model talks", async () => {
  const file = await serve();
  const told = [];
  const agent = await load({ model: file.url, backend: "cpu", onProgress: ({ stage, loaded, total }) => stage === "fetch" && told.push([loaded, total]) });
  const { text } = await agent.start({ opening: "Digit:\n" }).say();
  assert.equal(typeof text, "string");
  assert.deepEqual(file.asked.map(({ range }) => range), [null]);
  assert.ok(told.length > 10 && told.every(([loaded], n) => n === 0 || loaded >= told[n - 1][0]), "it only grows");
  assert.equal(told.at(-1)[0], told.at(-1)[1]);
  await agent.dispose();
  assert.deepEqual(await keptModels(), []);
  await forgetModel();
});

test("a server that dies in the middle is asked for the rest, with what names the version", async () => {
  const file = await serve({ dieAfter: 9e6 });
  assert.ok((await bytesOf(await fetchModel(file.url))).equals(large));
  assert.deepEqual(file.asked.map(({ range, ifRange }) => [range, ifRange]), [[null, null], ["bytes=9000000-", '"1"'], ["bytes=18000000-", '"1"']]);
});

test("a server that knows no ranges is asked for all of it again", async () => {
  const file = await serve({ ranges: false, dieAfter: 9e6 });
  const fetched = fetchModel(file.url);
  while (file.asked.length < 2) await new Promise((done) => setTimeout(done, 20));
  file.dieAfter = Infinity;
  assert.ok((await bytesOf(await fetched)).equals(large));
});

test("a file that changed meanwhile is fetched anew, whatever the server makes of If-Range", async () => {
  const other = padded(small, 20e6, 7);
  for (const honest of [true, false]) {
    const file = await serve({ dieAfter: 9e6 });
    const fetched = fetchModel(file.url);
    while (file.asked.length < 1) await new Promise((done) => setTimeout(done, 5));
    Object.assign(file, { bytes: other, dieAfter: Infinity });
    // One that is not honest says 206, and the new version's ETag.
    Object.assign(file, honest ? { etag: '"2"' } : { etag: '"2"', lies: true });
    assert.ok((await bytesOf(await fetched)).equals(other));
  }
});

test("a server that only says when the file was made is held to that", async () => {
  const file = await serve({ etag: null, modified: "Mon, 01 Jan 2024 00:00:00 GMT", dieAfter: 15e6 });
  assert.ok((await bytesOf(await fetchModel(file.url))).equals(large));
  assert.equal(file.asked[1].range, "bytes=15000000-");
});

test("what never comes is given up after some tries, by the bytes that did; a signal gives up at once", async () => {
  const file = await serve();
  const given = new AbortController();
  const late = fetchModel(file.url, { signal: given.signal, onProgress: ({ loaded }) => loaded > 1e6 && given.abort(new Error("changed my mind")) });
  await assert.rejects(late, /changed my mind/);
  const broken = await serve({ dieAfter: 9e6 });
  const fetched = fetchModel(broken.url, { onProgress: ({ loaded }) => loaded >= 9e6 && (broken.dieAfter = 0) });
  await assert.rejects(fetched, (error) => error instanceof ArcherError && error.code === "network" && /broke off after 9000000 of 20000000 bytes/.test(error.message));
  assert.equal(broken.asked.length, 6);
});

test("what is no model is refused by its first bytes, and what is too large by its length", async () => {
  for (const [start, kind] of [["GGUF\u0003", /GGUF/], ["PK\u0003\u0004", /zip/], ["\x80\u0002", /pickle/], ["<!doctype html>", /HTML page/]]) {
    const file = await serve({ bytes: Buffer.concat([Buffer.from(start, "latin1"), Buffer.alloc(30e6)]), slow: 5 });
    await assert.rejects(load({ model: file.url }), kind);
    await assert.rejects(describe(file.url), kind);
    assert.ok(file.asked.every(({ sent }) => sent < 8e6), "most of it stays where it is");
  }
  const huge = await serve({ bytes: { length: 3 * 2 ** 30, subarray: () => large.subarray(0, 1000) }, dieAfter: 1000 });
  await assert.rejects(load({ model: huge.url }), { code: "out-of-memory", message: /3\.0 GiB/, hint: /q4/ });
  const missing = await serve({ status: 404 });
  await assert.rejects(describe(missing.url), { code: "network", hint: /Check the address/ });
});

test("a file is described by its headers: bytes, a blob, and an address of which the beginning is fetched", async () => {
  const file = await serve({ slow: 5 });
  for (const model of [small, new Blob([small]), large, file.url]) {
    const told = await describe(model);
    assert.deepEqual(
      [told.kind, told.layout, told.layers, told.width, told.world, told.algorithm, told.rank, told.precision],
      ["language-model", "llama", 1, 32, "bandit", "archer", 4, "q8"],
    );
    assert.equal(told.bytes, model === file.url ? large.length : (model.size ?? model.length));
    assert.ok(told.memory.fineTune > told.memory.load && told.memory.load > told.bytes);
  }
  assert.ok(file.asked[0].sent < 8e6);
  await assert.rejects(describe(new Blob([small]), { signal: AbortSignal.abort(new Error("never mind")) }), /never mind/);
  const agent = await describe(await readFile(new URL("../models/quickstart.archer", import.meta.url)));
  assert.deepEqual([agent.kind, agent.layout, agent.world, agent.memory], ["agent", "gpt2", "twenty_questions", null]);
});

test("a file that is cut, or lies about its sections, is refused before anything is reserved", async () => {
  await assert.rejects(describe(small.subarray(0, small.length - 1000)), { code: "bad-model", message: /damaged/ });
  await assert.rejects(describe(small.subarray(0, 12)), { code: "bad-model", message: /cut/ });
  const lying = small.slice();
  new DataView(lying.buffer).setBigUint64(16 + 1 + 5, 2n ** 50n, true);
  await assert.rejects(describe(lying), { code: "bad-model", message: /longer than it can be/ });
  const newer = small.slice();
  newer[8] = 9;
  await assert.rejects(describe(newer), { code: "version-mismatch" });
  await assert.rejects(describe(42), { code: "usage" });
});

test("a header that holds other things than it should is described without them", async () => {
  const odd = (sections) => {
    const head = Buffer.alloc(16);
    head.write("ARCHERCK");
    head.writeUInt32LE(2, 8);
    head.writeUInt32LE(Object.keys(sections).length, 12);
    const parts = Object.entries(sections).map(([name, value]) => {
      const bytes = Buffer.from(JSON.stringify(value));
      const about = Buffer.alloc(1 + name.length + 8);
      about[0] = name.length;
      about.write(name, 1);
      about.writeBigUInt64LE(BigInt(bytes.length), 1 + name.length);
      return Buffer.concat([about, bytes]);
    });
    return Buffer.concat([head, ...parts, Buffer.alloc(4)]);
  };
  for (const state of [
    { config: null, origin: null, base_sha256: null, precision: null },
    { config: { world: { name: {} }, lora: null, algorithm: {} }, origin: "MIT", iteration: "many", opening: {}, precision: [] },
    { config: { world: "bandit" }, origin: { licence: { not: "text" } } },
  ]) {
    const told = await describe(odd({ state, actor_config: { model_type: "gpt2", n_layer: "two", n_embd: null } }));
    assert.deepEqual(
      [told.kind, told.world, told.algorithm, told.rank, told.iterations, told.licence, told.opening, told.precision, told.layers, told.width],
      ["agent", "unknown", "", 0, 0, "", null, "f32", 0, 0],
    );
  }
  const elsewhere = await describe(odd({ state: { config: { world: { command: "python3 w.py" } }, about: { name: "countdown" } }, actor_config: {} }));
  assert.equal(elsewhere.world, "countdown", "a world that a program brings is called by the program's name for it");
  await assert.rejects(describe(odd({ state: [], actor_config: {} })), { code: "bad-model", message: /state cannot be read/ });
});

test("an agent takes in a file of another kind, by the module that computes it, and goes back", async () => {
  const agent = await load({ backend: "cpu" });
  const before = agent.info.world;
  await agent.import(small);
  assert.equal(agent.info.world, "bandit");
  assert.equal(typeof (await agent.start({ opening: "Digit:\n" }).say()).text, "string");
  await assert.rejects(agent.import(small.subarray(0, small.length - 100)), { code: "bad-model" });
  assert.equal(agent.info.world, "bandit");
  await agent.import(await readFile(new URL("../models/quickstart.archer", import.meta.url)));
  assert.equal(agent.info.world, before);
  await agent.dispose();
});
