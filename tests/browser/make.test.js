// Make your own: a world is written, an agent learns it in the tab, and both are taken along.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createServer } from "node:http";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { site, violations } from "./harness.js";

const here = site();
const SLOW = { timeout: 600_000 };

const open = async (options = {}) => {
  const page = await here.open({ hash: "#make", ...options });
  await page.locator(".cm-content").waitFor();
  return page;
};

/** Puts other code into the editor. */
async function write(page, code) {
  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText(code);
}

const train = (page) => page.getByRole("button", { name: "Train", exact: true }).click();
const learned = (page) => page.locator(".result strong").waitFor(SLOW);
const numbers = (text) => [...text.replaceAll("−", "-").matchAll(/(-?[\d.]+) points and (\d+)%/g)].map(([, score, won]) => [Number(score), Number(won)]);
const alert = (page) => page.getByRole("alert");

/** A small world, with its parts to be replaced. */
const world = ({ before = "", start = "", act = "", reward = "said === 'right' ? 1 : 0", reply = "'So be it.'" } = {}) => `${before}
export default defineWorld({
  name: "two",
  maxTurns: 1,
  start() {
    ${start}
    return { text: "Left or right?\\n", choices: ["left", "right"], state: {} };
  },
  act(state, said) {
    ${act}
    return { reply: ${reply}, reward: ${reward}, end: "over" };
  },
});
`;

// What each world begins with, and what a visitor must see at least after the iterations that the page asks for.
for (const [name, least] of [
  ["A locked door", 3],
  ["A shop that bargains", 3.5],
  ["The frozen lake", 0.5],
  ["Wordle of 200 words", 0.1],
  ["A tiny text adventure", 6],
  ["A support line", 0.5],
]) {
  test(`${name}: it learns in the tab what it did not know`, async () => {
    const page = await open();
    await page.getByLabel("Start from").selectOption({ label: name });
    const begin = Date.now();
    await train(page);
    await learned(page);
    const [[before], [after]] = numbers(await page.locator(".result").innerText());
    console.log(`  ${name}: ${before} to ${after} in ${((Date.now() - begin) / 1000).toFixed(0)} s`);
    assert.ok(before < least && after >= least, `${before} to ${after}`);
    assert.ok((await page.locator(".transcript").first().innerText()).length > 20, "a game is shown");
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}

test("faults of the code are told at their line, and what runs too long is ended", async () => {
  const page = await open();
  const told = async (code, text) => {
    await write(page, code);
    await train(page);
    await alert(page).filter({ hasText: text }).waitFor(SLOW);
    await page.getByRole("button", { name: "Train", exact: true }).waitFor();
  };
  await told(world({ before: "const x = ;" }), /Line 1\./);
  await told(world({ start: "nothing();" }), /Line 6\. ReferenceError: nothing is not defined/);
  await told(world({ act: "throw new Error('no such door');" }), /Line 10\. Error: no such door/);
  await told(world({ reward: "'much'" }), /Line 9\..*reward/);
  await told("const world = 1;\n", /exports no world/);
  await told('import fs from "node:fs";\n' + world(), /Line 1\..*import nothing/);
  await told(world({ before: "for (;;);" }), /within 5 seconds/);
  await told(world({ act: "for (;;);" }), /within 5 seconds/);
  // After all of it a good one trains.
  await write(page, world());
  await train(page);
  await learned(page);
  const [, [after, won]] = numbers(await page.locator(".result").innerText());
  assert.ok(after === 1 && won === 0, `${after}, ${won}`);
  assert.deepEqual(page.faults, []);
});

test("a critic is trained for it, and rates what it might say", async () => {
  const page = await open();
  await write(page, world());
  await train(page);
  await learned(page);
  await page.getByRole("button", { name: "New game" }).click();
  const rating = async (said) => {
    const row = page.locator(".might tbody tr").filter({ hasText: said });
    return Number((await row.locator("td").last().innerText()).replaceAll("−", "-"));
  };
  assert.equal(await page.getByRole("columnheader", { name: "Critic" }).count(), 0);
  await page.getByRole("button", { name: "Train a critic" }).click();
  await page.getByRole("columnheader", { name: "Critic" }).waitFor(SLOW);
  const [right, left] = [await rating("right"), await rating("left")];
  assert.ok(right > left + 0.5, `right ${right}, left ${left}`);
  assert.match(await page.locator(".stage").innerText(), /expects (0\.[5-9]|1)\d* more points/);
  // It rates the agent as it was.
  await page.getByRole("button", { name: "Train more" }).click();
  await learned(page);
  await page.getByRole("button", { name: "Train a critic" }).waitFor(SLOW);
  assert.deepEqual(page.faults, []);
});

test("an agent is made whichever backend the visitor has chosen for the other one", async () => {
  const context = await here.context();
  await context.addInitScript(() => {
    if (self === top) localStorage.setItem("archer.1.backend", '"webgpu"');
  });
  const page = await open({ context });
  await write(page, world());
  await train(page);
  await learned(page);
  assert.equal(await alert(page).count(), 0);
  assert.deepEqual(page.faults, []);
});

test("a world reaches neither network nor storage", async () => {
  const heard = [];
  const other = createServer((request, response) => {
    heard.push(request.url);
    response.writeHead(200, { "access-control-allow-origin": "*" }).end("heard");
  });
  await new Promise((done) => other.listen(0, "127.0.0.1", done));
  const address = `http://127.0.0.1:${other.address().port}/leak`;
  const tries = `
const out = [];
const attempt = async (name, act) => { try { await act(); out.push(name + " reached"); } catch (error) { out.push(name + " " + error.name); } };
const ready = Promise.all([
  attempt("fetch", () => fetch("${address}")),
  attempt("own", () => fetch("${here.url}index.html")),
  attempt("database", () => new Promise((done, fail) => { const ask = indexedDB.open("x"); ask.onsuccess = done; ask.onerror = () => fail(ask.error); })),
  attempt("script", () => importScripts("${address}")),
  attempt("module", () => eval('import("${address}")')),
  attempt("socket", () => new Promise((done, fail) => { const socket = new WebSocket("${address.replace("http", "ws")}"); socket.onopen = done; socket.onerror = () => fail(new Error()); })),
]);`;
  try {
    const page = await open({ context: await here.context({ serviceWorkers: "block" }) });
    await write(page, world({ before: tries, reply: "out.sort().join('; ')" }).replace("start() {", "async start() { await ready;"));
    await train(page);
    await learned(page);
    const seen = await page.locator(".transcript").first().innerText();
    assert.match(seen, /database .*fetch .*module .*own .*script .*socket/s);
    assert.doesNotMatch(seen, /reached/);
    assert.deepEqual(heard, []);
  } finally {
    other.close();
  }
});

test("code that came with a link is shown, and runs only after a click", async () => {
  const context = await here.context({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await open({ context });
  await write(page, world({ before: "// from afar" }));
  await page.getByRole("button", { name: "Copy link to this world" }).click();
  await page.getByRole("button", { name: "Link copied" }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const other = await here.open({ context: await here.context(), hash: new URL(link).hash });
  await other.getByText("This code came with a link").waitFor();
  assert.match(await other.locator(".cm-content").innerText(), /from afar/);
  assert.equal(await other.locator("iframe").count(), 0, "nothing runs");
  await other.getByRole("button", { name: "Run this code and train" }).click();
  await learned(other);
  assert.equal(await other.locator("iframe").count(), 1);
  await other.goto(`${here.url}#make=AAAA`);
  await other.getByText("The link holds no world").waitFor();
  assert.deepEqual([...page.faults, ...other.faults], []);
});

test("the agent is played with: its chances are shown, and another utterance can be put into its mouth", async () => {
  const page = await open();
  await write(page, world());
  await train(page);
  await learned(page);
  await page.getByRole("button", { name: "New game" }).click();
  const rows = page.locator(".might tbody tr");
  await rows.nth(1).waitFor(SLOW);
  assert.match(await rows.first().innerText(), /right/);
  await rows.nth(1).getByRole("button").click();
  await page.locator(".stage", { hasText: "Over" }).waitFor(SLOW);
  assert.match(await page.locator(".stage .said").innerText(), /left/);
  await page.getByRole("button", { name: "New game" }).click();
  await page.getByRole("button", { name: "Play to the end" }).click();
  await page.locator(".stage .said", { hasText: "right" }).waitFor(SLOW);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(page.faults, []);
});

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

test("the project runs from a static server, and its world trains in a terminal", async () => {
  const folder = mkdtempSync(join(tmpdir(), "archer-project-"));
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, "http://localhost").pathname.slice(1) || "index.html";
    const body = await readFile(join(folder, path)).catch(() => null);
    response.writeHead(body ? 200 : 404, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" }).end(body ?? "");
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  try {
    const page = await open();
    await write(page, world());
    await train(page);
    await learned(page);
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download the project" }).click()]);
    assert.equal(download.suggestedFilename(), "my-agent.zip");
    execFileSync("python3", ["-m", "zipfile", "-e", await download.path(), folder]);
    const other = await here.browser.newPage();
    const faults = [];
    other.on("pageerror", (error) => faults.push(error.message));
    await other.goto(`http://127.0.0.1:${server.address().port}/`);
    await other.getByText("Left or right?").waitFor(SLOW);
    await other.getByRole("button", { name: "The agent’s turn" }).click();
    await other.locator(".said", { hasText: "right" }).waitFor(SLOW);
    await other.getByText("The game is over: over. Score: 1.00").waitFor();
    assert.deepEqual(faults, []);
    // The same file as a world of the terminal's.
    const process = spawn("node", ["world.js"], { cwd: folder, stdio: ["pipe", "pipe", "inherit"] });
    const lines = createInterface({ input: process.stdout })[Symbol.asyncIterator]();
    const ask = async (message) => {
      process.stdin.write(`${JSON.stringify(message)}\n`);
      return JSON.parse((await lines.next()).value);
    };
    const about = await ask({ cmd: "about" });
    assert.deepEqual([about.name, about.max_turns, about.protocol], ["two", 1, 1]);
    const { of } = await ask({ cmd: "batch", of: [{ cmd: "start", game: 1, seed: 2 ** 60 }, { cmd: "start", game: 2, seed: 5 }] });
    assert.deepEqual(of[0], { game: 1, text: "Left or right?\n", choices: ["left", "right"] });
    const turn = await ask({ cmd: "act", game: 1, said: "right" });
    assert.deepEqual(turn, { game: 1, reply: "So be it.", reward: 1, end: "over" });
    process.stdin.end();
    assert.match(readFileSync(join(folder, "README.txt"), "utf8"), /python3 -m http.server/);
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});
