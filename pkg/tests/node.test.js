// The package as a stranger gets it: packed, installed into an empty folder, imported in Node.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const pkg = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "archer-web-"));
let archer;
let games;

/** Loads the small model, with which a test takes seconds. */
const loadSmall = (options = {}) => archer.load({ model: archer.models.quickstart, world: games.worldOf, ...options });

before(async () => {
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: pkg, encoding: "utf8" });
  const [{ filename, files }] = Object.values(JSON.parse(packed.slice(packed.search(/^[[{]/m))));
  const paths = files.map((file) => file.path);
  for (const path of paths) {
    assert.match(path, /^(dist\/(cjs\/)?[\w.-]+\.(js|d\.ts|wasm|archer)|((dist\/cjs|cpu|twenty-questions|models\/[\w-]+)\/)?package\.json|README\.md|THIRD-PARTY\.txt|LICENSE-(MIT|APACHE))$/);
  }
  for (const path of ["dist/index.js", "dist/cpu.js", "dist/twenty-questions.js", "dist/archer-worker.js", "dist/cjs/index.js", "dist/archer-cpu_bg.wasm", "dist/archer-webgpu_bg.wasm", "dist/archer-llm_bg.wasm", "dist/twenty-questions.archer", "README.md"]) {
    assert.ok(paths.includes(path), `${path} is not in the package`);
  }
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  execFileSync("npm", ["install", "--offline", "--no-audit", "--no-fund", join(folder, filename)], { cwd: folder, stdio: "pipe" });
  // As a program in that folder would import it: by the package's own list of entries.
  archer = await imported("archer-web");
  games = await imported("archer-web/twenty-questions");
});

after(() => rmSync(folder, { recursive: true }));

async function imported(name) {
  writeFileSync(join(folder, "entries.js"), "export const entry = (name) => import(name);");
  return (await import(pathToFileURL(join(folder, "entries.js")).href)).entry(name);
}

/** Runs a program beside the installed package; what it prints. */
function ran(program, { file = "program.js", flags = [] } = {}) {
  writeFileSync(join(folder, file), program);
  return execFileSync(process.execPath, [...flags, file], { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Lets the agent ask until the game ends; the world itself thinks of `thing` and answers. */
async function play(agent, thing) {
  const game = await games.play(agent, { seed: 1 });
  const world = await games.host(agent, { thing, seed: 1 });
  while (game.state.status === "ask") {
    const { question } = await game.ask();
    const { reply } = (await world.ask(question)).turns.at(-1);
    await game.answer({ "Yes.": "yes", "No.": "no" }[reply] ?? "unknown");
  }
  return game.state;
}

test("a game is played to its end", async () => {
  const stages = new Set();
  const agent = await loadSmall({ onProgress: ({ stage }) => stages.add(stage) });
  assert.deepEqual([...stages], ["fetch", "check"]);
  assert.equal(agent.backend.backend, "cpu");
  assert.match(agent.backend.reason, /WebGPU/);
  assert.equal((await games.info(agent)).things.length, 10);
  for (const thing of ["dog", "piano"]) {
    const state = await play(agent, thing);
    assert.equal(state.status, "found");
    assert.equal(state.found, thing);
    assert.equal(state.returnSoFar, 1 - state.turns.length);
  }
  await agent.dispose();
  await assert.rejects(games.play(agent), { name: "ArcherError", code: "disposed" });
});

test("the model that comes by itself knows 157 things", async () => {
  const agent = await archer.load();
  assert.equal((await games.info(agent)).things.length, 157);
  assert.ok(agent.info.bytes <= 3 << 20 && agent.info.parameters.actor + agent.info.parameters.critic <= 1_500_000);
  const found = [];
  for (const thing of ["dog", "piano", "banana", "truck", "hammer"]) {
    const state = await play(agent, thing);
    if (state.found === thing) found.push(thing);
    const asked = state.turns.map((turn) => turn.question);
    assert.equal(new Set(asked).size, asked.length, "no question twice");
  }
  assert.ok(found.length >= 4, `${found}`);
  await agent.dispose();
});

test("a question streams, and undo brings the same one back", async () => {
  const agent = await loadSmall({ backend: "cpu" });
  const game = await games.play(agent);
  const heard = [];
  const first = await game.ask({ onText: (text) => heard.push(text) });
  assert.ok(heard.length > 1);
  assert.equal(heard.at(-1), first.question);
  assert.ok(heard.every((text) => first.question.startsWith(text)));
  await game.answer("no");
  const second = await game.ask();
  const state = await game.undo();
  assert.equal(state.status, "answer");
  assert.deepEqual(state.turns, [first]);
  await game.answer("no");
  assert.deepEqual(await game.ask(), second);
  await assert.rejects(game.ask(), { code: "usage" });
  await agent.dispose();
});

test("the critic can be looked into, and another question changes what is expected", async () => {
  const agent = await loadSmall({ backend: "cpu" });
  const game = await games.play(agent);
  await game.ask();
  await game.answer("no");
  await game.ask();
  const seen = await game.inspect({ turn: 2, also: ["Is it a dog?"] });
  for (const judged of [seen.asked, ...seen.alternatives]) {
    const advantage = Math.min(judged.q1, judged.q2) - Math.min(seen.v1, seen.v2);
    assert.ok(Math.abs(judged.advantage - advantage) < 1e-5);
    assert.ok(Math.abs(judged.expectedReturn - (-1 + Math.min(judged.q1, judged.q2))) < 1e-5);
    assert.ok(judged.probability >= 0 && judged.probability <= 1);
  }
  const order = seen.alternatives.map((judged) => judged.advantage);
  assert.deepEqual(order, [...order].sort((a, b) => b - a));
  assert.ok(seen.alternatives.some((judged) => judged.question === "Is it a dog?"));
  const { guesses } = await game.guesses();
  assert.ok(Math.abs(guesses.reduce((sum, guess) => sum + guess.probability, 0) - 1) < 1e-6);
  const forced = await game.force(1, "Is it a zebra?");
  assert.deepEqual(forced.turns.map((turn) => turn.question), ["Is it a zebra?"]);
  await game.answer("no");
  await game.ask();
  const after = await game.inspect();
  assert.notEqual(after.expectedReturn, seen.expectedReturn);
  await agent.dispose();
});

test("the page thinks of something and the person asks", async () => {
  const agent = await loadSmall({ backend: "cpu" });
  const game = await games.host(agent, { thing: "dog" });
  assert.equal(game.state.thing, null);
  assert.ok(!JSON.stringify(game.state).includes("dog"));
  let state = await game.ask("Would you say that it is alive?");
  assert.equal(state.turns[0].reply, "Yes.");
  state = await game.ask("glorp?");
  assert.equal(state.turns[1].understood, false);
  await assert.rejects(game.ask("  "), { code: "usage" });
  state = await game.undo();
  assert.equal(state.turns.length, 1);
  state = await game.ask("Is it a dog?");
  assert.deepEqual([state.status, state.thing, state.returnSoFar], ["found", "dog", -1]);
  await agent.dispose();
});

test("what people ask is understood in their words", async (t) => {
  const agent = await archer.load({ world: games.worldOf });
  const { things } = await games.info(agent);
  let [all, read, right] = [0, 0, 0];
  for (const file of ["fresh", "kept_back"]) {
    const lines = readFileSync(new URL(`../../crates/games/tests/questions/${file}.jsonl`, import.meta.url), "utf8").trim().split("\n");
    for (const { word, question, right: wanted, unread } of lines.map((line) => JSON.parse(line))) {
      // What the table cannot know may stay unread, as in the tests of the games themselves.
      if (unread === "fine" || !things.includes(word)) continue;
      const game = await games.host(agent, { thing: word, seed: 1 });
      const { reply, understood, oneAtATime } = (await game.ask(question)).turns.at(-1);
      const said = oneAtATime ? "one at a time" : reply.slice(0, -1).toLowerCase();
      all += 1;
      read += understood || (oneAtATime && wanted === said) ? 1 : 0;
      right += said === wanted ? 1 : 0;
    }
  }
  t.diagnostic(`${read} of ${all} questions read, ${right} of them right`);
  assert.ok(all > 300 && read >= 0.88 * all && right >= 0.97 * read, `${right} of ${read} of ${all}`);
});

test("a fine-tune learns, stops, is exported, kept and rolled back", async () => {
  const agent = await loadSmall({ backend: "cpu" });
  const small = { iterations: 3, games: 8, set: { epochs: 2, actor_epochs: 1, batch_size: 16, warmup_iter: 1 } };
  const question = async () => (await (await games.play(agent)).inspect({ turn: 1, samples: 0, also: ["Is it a dog?"] })).alternatives[0];
  const before = await question();
  const behind = agent.info.trained.iterations;
  assert.ok(behind > 0);
  const updates = [];
  for await (const update of agent.fineTune(small)) updates.push(update);
  assert.deepEqual(updates.map((update) => update.iteration), [1, 2, 3]);
  assert.deepEqual(updates.map((update) => update.warmup), [true, false, false]);
  for (const update of updates) {
    assert.ok(update.return.low <= update.return.mean && update.return.mean <= update.return.high);
    assert.ok(update.metrics["q1.loss"] > 0 && update.gamesPerSecond > 0);
  }
  assert.ok("pg.loss" in updates[2].metrics && !("pg.loss" in updates[0].metrics));
  assert.equal(agent.changed, true);
  const learned = await question();
  assert.notDeepEqual(learned, before);

  const file = await agent.export();
  await agent.rollback();
  assert.deepEqual(await question(), before);
  assert.equal(agent.changed, false);
  await agent.import(file);
  assert.deepEqual(await question(), learned);
  assert.equal(agent.info.resumable, true);

  const more = agent.fineTune({ resume: true, iterations: 50, set: { epochs: 1 } });
  for await (const update of more) if (update.iteration === 2) more.stop();
  assert.equal(more.state, "stopped");
  assert.equal(agent.info.trained.iterations, behind + 5);
  await assert.rejects(async () => {
    for await (const _ of agent.fineTune({ set: { "world.words": "all" } }));
  }, { code: "usage" });
  await agent.dispose();
});

test("a second fine-tune is refused, and the first keeps its hold of the agent", async () => {
  const agent = await loadSmall({ backend: "cpu" });
  const small = { iterations: 1, games: 8, set: { epochs: 1, actor_epochs: 1, batch_size: 16 } };
  const file = await agent.export();
  for await (const _ of agent.fineTune(small)) {
    await assert.rejects(async () => {
      for await (const _ of agent.fineTune(small));
    }, { code: "usage" });
    await assert.rejects(agent.import(file), { code: "usage" }, "the first is still under way");
  }
  await agent.import(file);
  await agent.dispose();
});

test("a fine-tune in another world shows at once what there is in it", async () => {
  const agent = await loadSmall({ backend: "cpu" });
  const things = async () => (await games.info(agent)).things;
  const before = await things();
  const world = await games.worldOf(agent, { extra: ["cat"] });
  const run = agent.fineTune({ iterations: 1, games: 8, world, set: { epochs: 500 } });
  const over = (async () => {
    for await (const _ of run);
  })();
  while ((await things()).length === before.length && run.state === "running") await new Promise((done) => setTimeout(done, 5));
  run.stop();
  await over;
  assert.equal((await things()).at(-1), "cat");
  assert.equal(agent.info.trained.iterations, (await loadSmall({ backend: "cpu" })).info.trained.iterations, "nothing was learned yet");
  assert.equal(agent.changed, true, "and yet there is something to roll back");
  await agent.rollback();
  assert.deepEqual(await things(), before);
  await agent.dispose();
});

test("bad files are refused by what is wrong with them, and change nothing", async () => {
  const agent = await loadSmall({ backend: "cpu" });
  const file = await agent.export();
  const altered = file.slice();
  altered[altered.length >> 1] ^= 1;
  const versioned = file.slice();
  versioned[8] = 9;
  for (const [bad, code] of [
    [altered, "bad-model"],
    [file.slice(0, 5000), "bad-model"],
    [new TextEncoder().encode("no model"), "bad-model"],
    [new Uint8Array(), "bad-model"],
    [versioned, "version-mismatch"],
  ]) {
    await assert.rejects(agent.import(bad), (error) => {
      assert.equal(error.code, code, error.message);
      assert.ok(error.hint.endsWith(".") && error instanceof archer.ArcherError);
      return true;
    });
  }
  assert.deepEqual(await agent.export(), file);
  await assert.rejects(archer.load({ model: pathToFileURL(join(folder, "none.archer")) }), { code: "network" });
  await agent.dispose();
});

test("a file that is no model is told by what it is", async () => {
  const weights = new Uint8Array([64, 0, 0, 0, 0, 0, 0, 0, ...new TextEncoder().encode('{"wte.weight":{}}')]);
  for (const [file, kind] of [
    [new Uint8Array(), /it is empty/],
    [weights, /safetensors/],
    ["GGUF\u0003\u0000", /GGUF/],
    ["PK\u0003\u0004", /zip/],
    ["version https://git-lfs.github.com/spec/v1\noid sha256:0", /Git LFS/],
    [' \n<!DOCTYPE html><html>', /HTML/],
    ['{"model_type": "gpt2"}', /JSON/],
    ["nothing known", /^The file is not an archer model file\.$/],
  ]) {
    const bytes = typeof file === "string" ? new TextEncoder().encode(file) : file;
    await assert.rejects(archer.load({ model: bytes }), (error) => {
      assert.equal(error.code, "bad-model");
      assert.match(error.message, kind);
      return /archer export --model FOLDER --out FILE/.test(error.hint);
    });
  }
  await assert.rejects(archer.load({ model: new File(["nothing"], "cat.jpg") }), { message: "cat.jpg is not an archer model file." });
});

test("a load can be given up", async () => {
  const signal = AbortSignal.abort(new Error("changed my mind"));
  await assert.rejects(archer.load({ signal }), /changed my mind/);
});

test("models are kept in a store, and another tab's save is not overwritten", async () => {
  const files = new Map();
  const storage = {
    get: async (name) => files.get(name),
    set: async (name, bytes) => void files.set(name, bytes),
    delete: async (name) => void files.delete(name),
    keys: async () => [...files.keys()],
  };
  const model = readFileSync(join(folder, "node_modules/archer-web/dist/quickstart.archer"));
  const [one, two] = await Promise.all([1, 2].map(() => archer.load({ backend: "cpu", model, storage })));
  const first = await one.save("mine", { ifRevision: 0 });
  assert.equal(first.revision, 1);
  await assert.rejects(two.save("mine", { ifRevision: 0 }), { code: "conflict" });
  await two.restore("mine");
  assert.equal((await two.save("mine", { ifRevision: 1 })).revision, 2);
  assert.deepEqual((await one.saved()).map(({ name, revision }) => [name, revision]), [["mine", 2]]);
  files.set("model/broken", new Uint8Array([1, 2, 3]));
  assert.deepEqual((await one.saved()).map(({ name }) => name), ["mine"], "one damaged entry hides no other");
  await assert.rejects(one.restore("broken"), { code: "bad-model" });
  await one.forget("mine");
  await assert.rejects(one.restore("mine"), { code: "not-found" });
  await one.dispose();
  await two.dispose();
  const without = await archer.load({ backend: "cpu", model });
  await assert.rejects(without.save("mine"), { code: "storage" });
});

test("the package can be required", () => {
  const told = ran(
    `const { load, models, ArcherError } = require("archer-web");
    const { play } = require("archer-web/twenty-questions");
    load({ model: models.quickstart }).then(async (agent) => {
      const { question } = await (await play(agent)).ask();
      const unknown = await play(agent, { sead: 1 }).catch((error) => error instanceof ArcherError && error.code);
      const refused = await load({ bakend: 1 }).catch((error) => error instanceof ArcherError && error.code);
      console.log(JSON.stringify([question, unknown, refused]));
    });`,
    { file: "program.cjs" },
  );
  const [question, unknown, refused] = JSON.parse(told);
  assert.ok(question.endsWith("?"));
  assert.deepEqual([unknown, refused], ["usage", "usage"]);
});

test("archer-web/cpu loads the model that it is given, and says so where it is given none", async () => {
  const { load } = await imported("archer-web/cpu");
  const { default: model } = await imported("archer-web/models/quickstart");
  const agent = await load({ model });
  assert.equal((await games.info(agent)).things.length, 10);
  assert.deepEqual([agent.backend.backend, agent.backend.reason], ["cpu", "You chose the CPU."]);
  await agent.dispose();
  await assert.rejects(load(), { code: "usage", message: "load was given no model." });
  await assert.rejects(load({ model, backend: "webgpu" }), { code: "usage" });
  await assert.rejects(load({ model, wasm: { webgpu: "x" } }), { code: "usage" });
});

/** What a bundler makes of a page's script, as one file. */
async function bundled(contents) {
  const { outputFiles } = await build({ stdin: { contents, resolveDir: folder }, bundle: true, minify: true, write: false, format: "esm", logLevel: "error" });
  return outputFiles.map(({ text }) => text).join("");
}

test("a page that only loads and talks has nothing of the games in its scripts", async (t) => {
  const talks = 'load().then((agent) => agent.start({ opening: "Hello." }).say());';
  const games = /WasmGames|archer-games|hostUndo|twenty_questions/;
  for (const entry of ["archer-web", "archer-web/cpu"]) {
    const script = await bundled(`import { load } from "${entry}"; ${talks}`);
    const size = gzipSync(script, { level: 9 }).length;
    t.diagnostic(`${entry}: ${script.length} bytes, gzipped ${size}`);
    assert.doesNotMatch(script, games);
    assert.ok(size < 40_000, `${size} bytes`);
  }
  assert.match(await bundled(`import { load } from "archer-web"; import { play } from "archer-web/twenty-questions"; load().then(play);`), games);
});

test("every call refuses what it does not know, by an ArcherError, and nothing changes", async () => {
  const agent = await loadSmall({ backend: "cpu" });
  const game = await games.play(agent);
  const host = await games.host(agent, { thing: "dog" });
  const tuned = async (options) => {
    for await (const _ of agent.fineTune(options));
  };
  const before = await agent.export();
  for (const [call, hint] of [
    [() => archer.load(null), /options are/],
    [() => archer.load({ thread: "worker" }), /Leave thread out/],
    [() => archer.load({ modle: archer.models.quickstart }), /"model"/],
    [() => archer.load({ model: new Date() }), /address/],
    [() => archer.load({ backend: "gpu" }), /"webgpu"/],
    [() => archer.load({ wasm: { gpu: "x" } }), /"cpu"|cpu, webgpu/],
    [() => archer.load({ wasm: { cpu: "x.wasm" } }), /whole address/],
    [() => archer.load({ model: "x.archer" }), /whole address/],
    [() => games.play(agent, { sead: 1 }), /"seed"/],
    [() => games.play(agent, { turns: [{ question: "x" }] }), /turns/],
    [() => games.host(agent, { thing: "submarine" }), /./],
    [() => games.host(agent, { think: "dog" }), /"thing"/],
    [() => game.ask({ temperature: 2 }), /onText, sample, signal/],
    [() => game.answer("maybe"), /"unknown"/],
    [() => game.inspect({ sample: 3 }), /"samples"/],
    [() => game.force(0, "Is it a dog?"), /from 1/],
    [() => host.ask(5), /text/],
    [() => agent.evaluate({ env: {} }), /games, seed/],
    [() => agent.evaluate({ games: 1e8 }), /100000/],
    [() => agent.evaluate({ games: -1 }), /100000/],
    [() => games.worldOf(agent, { weights: { dgo: 2 } }), /./],
    [() => games.worldOf(agent, { wieghts: { dog: 2 } }), /weights/],
    [() => games.worldOf(agent, { weights: { dog: () => 2 } }), /a function/],
    [() => games.play({}), /an agent/],
    [() => agent.evaluate({ world: { weights: { dog: 2 } } }), /defineWorld/],
    [() => agent.export({ training: 1 }), /true or false/],
    [() => agent.import("file"), /Blob/],
    [() => agent.save(""), /name/],
    [() => agent.save("x", { ifrevision: 1 }), /"ifRevision"/],
    [() => tuned({ iteration: 3 }), /"iterations"/],
    [() => tuned({ world: { reset() {}, step() {} } }), /defineWorld/],
    [() => tuned({ set: { nonsense_key: 1 } }), /./],
    [() => tuned({ set: { lm_lr: "fast" } }), /./],
    [() => tuned({ games: 0.5 }), /whole number/],
  ]) {
    await assert.rejects(async () => call(), (error) => {
      assert.deepEqual([error.name, error.code], ["ArcherError", "usage"], `${call}: ${error}`);
      assert.match(error.hint, hint, `${call}: ${error.message} ${error.hint}`);
      assert.doesNotMatch(error.message, /invalid (type|value)|unknown field|missing field|expected .* at line|cannot be read: Error/, `${call}`);
      return error.message.endsWith(".") && /[.?]$/.test(error.hint);
    });
  }
  assert.deepEqual(await agent.export(), before);
  await agent.dispose();
});

test("a program as bytes, compiled or a response plays; what is no program is refused without its bytes", async () => {
  const bytes = readFileSync(join(folder, "node_modules/archer-web/dist/archer-cpu_bg.wasm"));
  for (const cpu of [bytes, await WebAssembly.compile(bytes), new Response(bytes)]) {
    const agent = await loadSmall({ wasm: { cpu } });
    assert.ok((await (await games.play(agent)).ask()).question.endsWith("?"));
    await agent.dispose();
  }
  await assert.rejects(loadSmall({ wasm: { cpu: bytes.subarray(0, 9999) } }), (error) => error.code === "network" && error.message.length < 300);
  await assert.rejects(loadSmall({ wasm: { cpu: pathToFileURL(join(folder, "none.wasm")) } }), { code: "network", message: /does not exist/ });
});

test("a long call comes to its end where there is neither setImmediate nor MessageChannel, as in jest's jsdom", () => {
  const said = ran(`
    import { load, models } from "archer-web";
    import { worldOf } from "archer-web/twenty-questions";
    delete globalThis.setImmediate;
    delete globalThis.MessageChannel;
    const agent = await load({ model: models.quickstart, world: worldOf });
    console.log((await agent.evaluate({ games: 100 })).games);
    await agent.dispose();`);
  assert.equal(said.trim(), "100");
});

test("an evaluation is given up by its signal, and the agent plays on", async () => {
  const agent = await loadSmall();
  const control = new AbortController();
  const over = agent.evaluate({ games: 100_000, signal: control.signal });
  await agent.metrics();
  control.abort(new Error("enough"));
  await assert.rejects(over, /enough/);
  assert.ok((await (await games.play(agent)).ask()).question.endsWith("?"));
  await agent.dispose();
});
