// Parts of the package by themselves, with numbers and modules that are small enough to follow by hand.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { inside } from "./lib/inside.js";

const { Instance } = await inside("instance");
const { checked, nearest, LOAD, CREATE, EVALUATE, FINE_TUNE, PLAY, INSPECT } = await inside("options");
const { together } = await inside("progress");
const { asArcherError } = await inside("errors");
const { stoppable } = await inside("call-control");
const { placed } = await inside("runtime");
const { startBackend } = await inside("backends");
const { Conversation } = await inside("talk");
const { PlayedGame } = await inside("games");
const { located } = await inside("located");

/**
 * A module with three functions: `trap` traps, `seven` gives 7, and `around` calls the imported `again`, then gives 9.
 */
const MODULE = new WebAssembly.Module(
  new Uint8Array([
    ...[0, 97, 115, 109, 1, 0, 0, 0],
    ...[1, 8, 2, 96, 0, 0, 96, 0, 1, 127],
    ...[2, 11, 1, 1, 101, 5, 97, 103, 97, 105, 110, 0, 0],
    ...[3, 4, 3, 0, 1, 1],
    ...[7, 25, 3, 4, 116, 114, 97, 112, 0, 1, 5, 115, 101, 118, 101, 110, 0, 2, 6, 97, 114, 111, 117, 110, 100, 0, 3],
    ...[10, 17, 3, 3, 0, 0, 11, 4, 0, 65, 7, 11, 6, 0, 16, 0, 65, 9, 11],
  ]),
);

/** An instance of it; `panic` is what it says of its last panic. */
async function instance({ panic = "", again = () => {} } = {}) {
  const made = {};
  const it = await Instance.of((WebAssembly) => {
    made.default = async ({ module_or_path }) => {
      const { instance } = await WebAssembly.instantiate(module_or_path, { e: { again: () => again(made) } });
      made.wasm = instance.exports;
    };
    made.deviceLost = () => undefined;
    made.lastPanic = () => panic;
    return made;
  }, MODULE);
  return { it, wasm: made.wasm };
}

const never = () => new Promise(() => {});

test("a trap in a microtask, past every try, rejects all that is under way, and nothing enters again", async () => {
  const { it, wasm } = await instance();
  assert.equal(wasm.seven(), 7);
  const first = it.during(never);
  const second = it.during(() => {
    queueMicrotask(() => wasm.trap());
    return never();
  });
  for (const call of [first, second, it.during(async () => 1).then(() => it.during(never))]) {
    await assert.rejects(call, (error) => error.name === "ArcherError" && error.code === "out-of-memory" && /memory/.test(error.message));
  }
  await assert.rejects(it.during(async () => 1), { code: "out-of-memory" });
  assert.notEqual(wasm.seven(), 7);
});

test("a trap after a panic says what the panic said, and is ours", async () => {
  const { it, wasm } = await instance({ panic: "panicked at src/a.rs:3:4:\nindex out of bounds" });
  await assert.rejects(it.during(async () => wasm.trap()), (error) => {
    assert.deepEqual([error.code, error.message], ["internal", "index out of bounds (src/a.rs:3:4)."]);
    return /bug in archer/.test(error.hint);
  });
});

test("where calls of the module are nested, the outer one does not go on after a trap in the inner one", async () => {
  const { it, wasm } = await instance({ again: ({ wasm }) => wasm.trap() });
  assert.notEqual(wasm.around(), 9);
  await assert.rejects(it.during(async () => 1), { code: "out-of-memory" });
});

test("another instance of the same module is not touched", async () => {
  const [one, two] = [await instance(), await instance()];
  one.wasm.trap();
  assert.equal(two.wasm.seven(), 7);
  assert.equal(await two.it.during(async () => 3), 3);
});

test("too many nested calls are no lack of memory", async () => {
  const { it } = await instance();
  const deep = () => deep();
  await assert.rejects(it.during(async () => deep()), { code: "internal" });
  await assert.rejects(it.during(async () => new Uint8Array(-1)), { code: "out-of-memory" });
});

test("what the core throws passes as it is, as a sentence", async () => {
  const { it } = await instance();
  const fault = { code: "bad-model", message: "the checkpoint is damaged", hint: "Choose another." };
  await assert.rejects(it.during(async () => Promise.reject(fault)), { code: "bad-model", message: "The checkpoint is damaged.", hint: "Choose another." });
  assert.equal(asArcherError({ ...fault, message: "kl_coef is 1e308" }).message, "kl_coef is 1e308.", "a key keeps its name");
  assert.equal(asArcherError({ ...fault, message: "https://a.b/c was refused." }).message, "https://a.b/c was refused.");
});

test("the words of the core's reader of data are put plainly", () => {
  for (const [message, told] of [
    ['a setting is no such value: invalid type: string "fast", expected f64', 'A setting is no such value: it is the text "fast", and must be a number.'],
    ["the request cannot be read: Error: invalid value: integer `-1`, expected usize", "It is integer -1, and must be a whole number from 0 up."],
    ["invalid type: map, expected a string", "It is map, and must be a text."],
    ["the request cannot be read: Error: missing field `question`", '"question" is missing.'],
    ["unknown field `iteration`, expected one of `iterations`, `seed`", 'There is no "iteration", but `iterations`, `seed`.'],
    ["nothing of the kind at line 1 column 7", "Nothing of the kind."],
  ]) {
    assert.equal(asArcherError({ code: "usage", message, hint: "x" }).message, told);
  }
});

test("options: unknown names, wrong types and odd values are refused by one sentence", () => {
  const cases = [
    [LOAD, { bakend: "cpu" }, 'call has no option "bakend".', 'Did you mean "backend"?'],
    [LOAD, { onprogress: () => {} }, 'call has no option "onprogress".', 'Did you mean "onProgress"?'],
    [LOAD, { backend: "gpu" }, 'call: backend is "gpu".', 'It takes "auto", "cpu" or "webgpu".'],
    [LOAD, { signal: new AbortController() }, "call: signal is an AbortController.", "It takes an AbortSignal."],
    [LOAD, { model: () => {} }, "call: model is a function.", "It takes an address, bytes or a Blob."],
    [LOAD, { model: [1, 2, 3] }, "call: model is a list of 3.", "It takes an address, bytes or a Blob."],
    [LOAD, null, "call takes an object with options, and not null.", /^Its options are model, /],
    [LOAD, "cpu", 'call takes an object with options, and not "cpu".', /^Its options are model, /],
    [EVALUATE, { games: 1e8 }, "call: games is 100000000.", "It takes a whole number from 1 to 100000."],
    [EVALUATE, { games: Number.NaN }, "call: games is NaN.", "It takes a whole number from 1 to 100000."],
    [EVALUATE, { games: 2.5 }, "call: games is 2.5.", "It takes a whole number from 1 to 100000."],
    [EVALUATE, { seed: -1 }, "call: seed is -1.", "It takes a whole number from 0 up."],
    [EVALUATE, { env: {} }, 'call has no option "env".', /^Its options are games, /],
    [CREATE, { backend: "webgpu" }, 'call: backend is "webgpu".', 'It takes "cpu" or "auto".'],
    [CREATE, { admitSoftware: true }, 'call has no option "admitSoftware".', /^Its options are world, /],
    [CREATE, { sizes: "tiny" }, 'call has no option "sizes".', 'Did you mean "size"?'],
    [CREATE, { size: "huge" }, 'call: size is "huge".', 'It takes "tiny", "small" or "medium".'],
    [FINE_TUNE, { iteration: 3 }, 'call has no option "iteration".', 'Did you mean "iterations"?'],
    [FINE_TUNE, { world: { reset() {} } }, "call: world is an object.", /^It takes what defineWorld gives, /],
    [FINE_TUNE, { world: { weigths: {} } }, "call: world is an object.", /it has no "weigths", but weights\.$/],
    [FINE_TUNE, { world: { weights: { dog: -1 } } }, "call: world is an object.", /weights must be a number from 0 up for "dog"\.$/],
    [FINE_TUNE, { world: { answers: { "Is it alive?": { dog: "maybe" } } } }, "call: world is an object.", /"sometimes" for "dog" for "Is it alive\?"\.$/],
    [FINE_TUNE, { world: { extra: [{ name: "x" }] } }, "call: world is an object.", /extra must be a list of names\.$/],
    [FINE_TUNE, { set: { lm_lr: () => 1 } }, "call: set is an object.", /it has a function at "lm_lr"\.$/],
    [FINE_TUNE, { set: { lm_lr: Number.NaN } }, "call: set is an object.", /it has NaN at "lm_lr"\.$/],
    [PLAY, { turns: [{ question: "x" }] }, "call: turns is a list of 1.", /^It takes a list of turns/],
    [INSPECT, { also: "Is it a dog?" }, 'call: also is "Is it a dog?".', "It takes a list of questions."],
    [INSPECT, { turn: 0 }, "call: turn is 0.", "It takes a whole number from 1 up."],
  ];
  for (const [table, options, message, hint] of cases) {
    assert.throws(() => checked("call", options, table), (error) => {
      assert.deepEqual([error.name, error.code, error.message], ["ArcherError", "usage", message]);
      typeof hint === "string" ? assert.equal(error.hint, hint) : assert.match(error.hint, hint);
      return true;
    });
  }
  const good = { games: 3, seed: 0, sample: undefined, signal: new AbortController().signal, world: { weights: { dog: 2 } } };
  assert.equal(checked("call", good, EVALUATE), good);
  assert.deepEqual(checked("call", undefined, EVALUATE), {});
  // As `Game.state.turns` has them.
  const turns = [{ number: 1, question: "Is it a dog?", answer: null, guess: "dog", forced: false }];
  assert.deepEqual(checked("call", { turns }, PLAY), { turns });
});

test("a conversation refuses what it does not know, by one sentence and a remedy, and stays as it was", async () => {
  const asked = [];
  const talk = new Conversation(async (request) => (asked.push(request), { text: "take", logProb: -1, alternatives: [] }), { opening: "A door." });
  const wrong = [
    [() => talk.hear("It opens."), "hear: no utterance is waiting for a reply.", "Call say or force first."],
    [() => talk.hear(3), "hear: reply is 3.", "It takes a text."],
    [() => talk.hear("x", { rewrad: 1 }), 'hear has no option "rewrad".', 'Did you mean "reward"?'],
    [() => talk.hear("x", { reward: Number.NaN }), "hear: reward is NaN.", "It takes a finite number."],
    [() => talk.hear("x", { end: "lost" }), 'hear: end is "lost".', 'It takes "won", "over", "cut" or null.'],
    [() => talk.hear("x", { choices: "open" }), 'hear: choices is "open".', "It takes a list of texts, or null."],
    [() => talk.force(["open"]), "force: text is a list of 1.", "It takes a text."],
    [() => talk.force("  "), "force: the text is empty.", "It takes one line of text."],
    [() => talk.undo(), "undo: the conversation is at its beginning.", "Call say first."],
    [() => talk.record("lost"), 'record: end is "lost".', 'It takes "won", "over", "cut" or null.'],
    [() => talk.say({ temperature: 2 }), 'say has no option "temperature".', /^Its options are onText, /],
    [() => talk.score("open"), 'score: texts is "open".', "It takes a list of texts."],
    [() => talk.inspect({ sample: 3 }), 'inspect has no option "sample".', 'Did you mean "samples"?'],
    [() => talk.inspect({ also: "open" }), 'inspect: also is "open".', "It takes a list of texts."],
  ];
  for (const [call, message, hint] of wrong) {
    await assert.rejects(async () => call(), (error) => {
      assert.deepEqual([error.name, error.code, error.message], ["ArcherError", "usage", message]);
      typeof hint === "string" ? assert.equal(error.hint, hint) : assert.match(error.hint, hint);
      return true;
    });
  }
  assert.deepEqual([asked, talk.exchanges, talk.open, talk.end], [[], [], null, null]);
  await talk.say();
  await assert.rejects(talk.say(), { code: "usage", message: "say was called at the wrong time.", hint: "Call hear first: the last utterance has no reply yet." });
  talk.hear("It opens.\n", { reward: 1, end: "won" });
  await assert.rejects(talk.say(), { message: "say: the conversation has ended.", hint: "Call undo, or start another one." });
  assert.deepEqual(talk.record(), { opening: "A door.\n", choices: null, turns: [{ said: "take", reply: "It opens.", reward: 1, choices: null }], end: "won" });
  talk.undo();
  assert.deepEqual([talk.open, talk.end, asked.length], ["take", null, 1]);
});

test("a game says which call it is waiting for", async () => {
  const game = (status) => new PlayedGame({ module: () => ({ call: () => ({ status, turns: [], seed: 1 }) }) }, { seed: 1, turns: [] });
  for (const [status, call, message, hint] of [
    ["ask", "answer", "answer: no question is open.", "Call ask first."],
    ["answer", "ask", "ask: a question is open.", "Call answer first."],
    ["lost", "ask", "ask: the game is over.", "Call undo, or start another game with agent.play()."],
    ["found", "answer", "answer: the game is over.", "Call undo, or start another game with agent.play()."],
  ]) {
    await assert.rejects(game(status)[call](call === "answer" ? "yes" : undefined), { name: "ArcherError", code: "usage", message, hint });
  }
});

test("a world's address that is not complete is refused where there is no page", () => {
  for (const world of ["./world.js", { module: "world.js" }]) {
    assert.throws(() => located(world), { name: "ArcherError", code: "usage", message: /world\.js" is not a complete address\.$/, hint: /^Pass a whole address/ });
  }
  assert.deepEqual(located({ module: "https://a.b/world.js", options: 3 }), { kind: "module", url: "https://a.b/world.js", options: 3 });
});

test("a name is only suggested where it is near", () => {
  assert.equal(nearest("thred", Object.keys(LOAD)), "thread");
  assert.equal(nearest("temperature", Object.keys(LOAD)), undefined);
  assert.equal(nearest("x", ["seed"]), undefined);
});

test("the program and the model are one progress, with a total once both are known", () => {
  const told = [];
  const tell = together((progress) => told.push(progress), ["wasm", "model"]);
  tell({ stage: "wasm", loaded: 0, total: 30 });
  tell({ stage: "model", loaded: 5, total: 10 });
  tell({ stage: "wasm", loaded: 30, total: 30 });
  tell({ stage: "check" });
  tell({ stage: "measure" });
  tell({ stage: "wasm", loaded: 7, total: 90 });
  tell({ stage: "check" });
  assert.deepEqual(
    told.map(({ stage, loaded, total }) => [stage, loaded, total]),
    [
      ["fetch", 0, null],
      ["fetch", 5, 40],
      ["fetch", 35, 40],
      ["check", 0, null],
      ["measure", 0, null],
      ["measure", 7, 90],
    ],
  );
});

test("a signal gives a call up at once, and tells the call", async () => {
  const control = new AbortController();
  let seen;
  const waiting = stoppable(control.signal, (call) => {
    seen = call;
    return never();
  });
  assert.equal(seen.state, "go");
  control.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  assert.equal(seen.state, "stop");
  await assert.rejects(stoppable(control.signal, never), /enough/, "one that was given up before never begins");
  assert.equal(await stoppable(new AbortController().signal, async () => 4), 4);
});

test("files are found where Vite's development server leaves them", () => {
  const at = "http://localhost:5173/node_modules/";
  assert.equal(placed(`${at}.vite/deps/archer-worker.js?worker_file&type=module`), `${at}archer-web/dist/archer-worker.js`);
  assert.equal(placed(`${at}.vite/deps/archer-cpu_bg.wasm`), `${at}archer-web/dist/archer-cpu_bg.wasm`);
  assert.equal(placed(`${at}archer-web/dist/archer-cpu_bg.wasm`), `${at}archer-web/dist/archer-cpu_bg.wasm`);
});

test("a device that never comes, and a store that never answers, hold nothing up", async () => {
  const gpu = { requestAdapter: async () => ({ info: { vendor: "slow" } }) };
  Object.defineProperty(globalThis, "navigator", { value: { gpu }, configurable: true });
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const asked = [];
    const engine = { call: async () => ({ parameters: {}, world: "x" }), close() {} };
    const start = ({ backend, signal }) => {
      asked.push({ backend, signal });
      return backend === "cpu" ? Promise.resolve(engine) : never();
    };
    const load = async (choice, store = null) => {
      const started = startBackend({ asked: choice, admitSoftware: false, start, store, options: { model: new Uint8Array() }, wasm: {} });
      let over = false;
      started.finally(() => (over = true));
      // Each round lets a limit pass and what waits for it go on.
      while (!over) {
        mock.timers.tick(60_000);
        await new Promise((done) => setImmediate(done));
      }
      return (await started).report;
    };
    const report = await load("webgpu");
    assert.equal(report.backend, "cpu");
    assert.match(report.reason, /^Running on the CPU, because WebGPU failed: WebGPU was not ready within 60 seconds\.$/);
    assert.equal(asked.find(({ backend }) => backend === "webgpu").signal.aborted, true, "its worker is ended");
    assert.equal((await load("auto", { get: never })).backend, "cpu");
  } finally {
    mock.timers.reset();
    delete globalThis.navigator;
  }
});
