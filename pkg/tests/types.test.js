// The package's types, compiled as its users compile them: with a browser's types, a worker's, Node's, or none.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const pkg = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "archer-types-"));

const USE = `
import { ArcherError, capabilities, describe, fetchModel, forgetModel, keptModels, load, models, type Agent, type Store } from "archer-web";
import { load as loadSmall } from "archer-web/cpu";
import model from "archer-web/models/quickstart";
import address from "archer-web/cpu.wasm";
import { info, play, worldOf, type Game, type WorldChange } from "archer-web/twenty-questions";

export async function use(storage: Store): Promise<string> {
  const agent: Agent = await load({ model: models.quickstart, wasm: { cpu: address }, storage });
  await loadSmall({ model });
  await load({ world: worldOf });
  const change: WorldChange = { weights: { dog: 8 } };
  for await (const update of agent.fineTune({ iterations: 1, world: await worldOf(agent, change) })) update.return.mean.toFixed();
  const game: Game = await play(agent, { seed: (await info(agent)).things.length });
  await game.ask();
  const talk = agent.start({ opening: "Where to?", unread: ["left"], open: null });
  const { text } = await talk.say({ score: false });
  (await talk.say({ alternatives: 2 })).logProb.toFixed(text.length);
  const { memory } = await describe(models.quickstart);
  const file = await fetchModel("https://example.org/agent.archer", { keep: false, onProgress: ({ loaded, total }) => loaded / (total ?? 1) });
  for (const { address, arrived, bytes } of await keptModels()) if (arrived < bytes) await forgetModel(address);
  await load({ model: file, keep: (memory?.load ?? 0) < 1e9 });
  const can = await capabilities();
  return can.webgpu.reason + new ArcherError("usage", "x").hint;
}
`;

before(() => {
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "archer-web"), { recursive: true });
  for (const part of ["package.json", "dist"]) cpSync(join(pkg, part), join(modules, "archer-web", part), { recursive: true });
  for (const part of ["@types", "undici-types"]) symlinkSync(join(pkg, "node_modules", part), join(modules, part));
  writeFileSync(join(folder, "package.json"), '{ "private": true }');
  writeFileSync(join(folder, "use.mts"), USE);
  writeFileSync(join(folder, "use.cts"), USE);
  writeFileSync(join(folder, "inline.mts"), 'import { create, load, type Agent } from "archer-web/inline";\nexport const agent: Promise<Agent> = load({ model: new Uint8Array() });\nexport const made = (world: Parameters<typeof create>[0]["world"]) => create({ world });\n');
  // Where the compiler knows an AbortSignal, it must be one.
  writeFileSync(join(folder, "wrong.mts"), 'import { load } from "archer-web";\nvoid load({ signal: 3 });\nvoid load({ thread: "there" });\n');
  // What was not asked for is not there.
  writeFileSync(join(folder, "unscored.mts"), 'import type { Talk } from "archer-web";\nexport const likely = async (talk: Talk) => (await talk.say({ score: false })).logProb;\n');
});

after(() => rmSync(folder, { recursive: true }));

/** The README's blocks of TypeScript, each a module that finds what the ones before it made. */
function blocks() {
  const found = [...readFileSync(join(pkg, "README.md"), "utf8").matchAll(/^```ts\n([^]*?)^```$/gm)].map((match) => match[1]);
  const made = { agent: 'import("archer-web").Agent', choices: "readonly string[]" };
  return found.map((block) => {
    const missing = Object.entries(made).filter(([name]) => new RegExp(`\\b${name}\\b`).test(block) && !new RegExp(`const ${name}\\b`).test(block));
    return [...missing.map(([name, type]) => `declare const ${name}: ${type};\n`), block, "export {};\n"].join("");
  });
}

function compile(file, lib, types, module = "nodenext", moduleResolution = "nodenext") {
  const flags = ["--noEmit", "--strict", "--skipLibCheck", "false", "--target", "es2022", "--lib", lib, "--types", types];
  const tsc = join(pkg, "node_modules/typescript/bin/tsc");
  const { stdout } = spawnSync(process.execPath, [tsc, ...flags, "--module", module, "--moduleResolution", moduleResolution, file], { cwd: folder, encoding: "utf8" });
  return stdout;
}

test("they compile with and without the types of a browser, of a worker and of Node", () => {
  for (const [lib, types] of [["es2022", ""], ["es2022,dom,dom.iterable", ""], ["es2022,webworker", ""], ["es2022", "node"]]) {
    assert.equal(compile("use.mts", lib, types), "", `${lib} ${types}`);
    assert.equal(compile("inline.mts", lib, types), "", `${lib} ${types}`);
  }
  assert.equal(compile("use.mts", "es2022,dom", "", "esnext", "bundler"), "", "for a bundler");
  assert.equal(compile("use.cts", "es2022", "node"), "", "for require");
});

test("the README's examples compile", () => {
  const all = blocks();
  assert.ok(all.length >= 5, `${all.length} blocks`);
  all.forEach((block, n) => {
    writeFileSync(join(folder, `readme${n}.mts`), block);
    assert.equal(compile(`readme${n}.mts`, "es2022,dom,dom.iterable", ""), "", block);
  });
});

test("what is wrong does not compile", () => {
  for (const lib of ["es2022,dom", "es2022,webworker"]) {
    const lines = compile("wrong.mts", lib, "").split("\n").filter((line) => line.startsWith("wrong.mts"));
    assert.deepEqual(lines.map((line) => line.slice(0, 13)), ["wrong.mts(2,1", "wrong.mts(3,1"], lines.join("\n"));
    assert.match(compile("unscored.mts", lib, ""), /logProb/);
  }
});
