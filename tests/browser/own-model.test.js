// A model that the visitor brings: a file or an address, what is said of it first, its way here, talking with it, training it.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import { padded, serveFile } from "../../pkg/tests/lib/files.js";
import { begin, exported, press, ready, site, startTraining, violations } from "./harness.js";

const here = site();
const language = await readFile(new URL("../wasm/language.archer", import.meta.url));
const large = padded(language, 20e6);
const servers = [];
after(() => servers.forEach((server) => server.close()));
const serve = async (given) => {
  const server = await serveFile({ bytes: large, ...given });
  servers.push(server);
  return server;
};

const dialog = (page) => page.getByRole("dialog", { name: "Bring your model" });
const alert = (page) => dialog(page).getByRole("alert");
const to = (page, name) => page.locator("header").getByRole("link", { name }).click();

async function open(page) {
  await page.getByRole("button", { name: "Bring your model" }).click();
  await dialog(page).waitFor();
}

const choose = (page, name, buffer) => page.getByLabel("Model file to bring").setInputFiles({ name, mimeType: "application/octet-stream", buffer });

async function lookAt(page, address) {
  await page.getByLabel("Or the address of one").fill(address);
  await page.keyboard.press("Enter");
}

/** Brings a file, and waits until it plays. */
async function bring(page, name, buffer) {
  await open(page);
  await choose(page, name, buffer);
  await page.getByRole("button", { name: "Load it" }).click();
  await dialog(page).waitFor({ state: "hidden", timeout: 60_000 });
  await ready(page);
}

/** A world that this model has room for, whose choices are longer than what it says in its own. */
const WORLD = `export default defineWorld({
  name: "pick",
  maxTurns: 1,
  choices: true,
  start: () => ({ text: "?", choices: ["take it", "leave it"], state: 0 }),
  act: (state, said) => ({ reply: ".", reward: said === "take it" ? 1 : 0, end: "over" }),
});`;

const said = (page, n) => page.locator(".talk .lines .said").nth(n);

async function talk(page) {
  await page.getByRole("button", { name: "Begin", exact: true }).click();
  await page.getByLabel("What the world says back").waitFor();
  await page.locator(".talk .buttons button:enabled").first().waitFor();
  return said(page, 0).innerText();
}

test("a file is told by what it is, plays, is talked with, and is there after a reload", async () => {
  const page = await here.open();
  await open(page);
  await choose(page, "language.archer", language);
  const facts = await dialog(page).locator(".facts").innerText();
  for (const part of [/language model \(llama, 1 block of width 32\) with adapters of rank 4/, /bandit/, /talk with it, and train it/, /64 kB/, /q8 or fewer bits/, /to play.*to train/, /MIT/]) {
    assert.match(facts, part);
  }
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "language.archer", "the focus is on what was found");
  await page.getByRole("button", { name: "Load it" }).click();
  await dialog(page).waitFor({ state: "hidden", timeout: 60_000 });
  await page.getByRole("heading", { name: "Bandit" }).waitFor();
  assert.equal(await page.getByLabel("What it reads first").inputValue(), "Digit:");
  const first = await talk(page);
  await page.getByLabel("What the world says back").fill("Wrong.");
  await page.keyboard.press("Enter");
  await said(page, 1).waitFor();
  await page.reload();
  await ready(page);
  assert.equal(await talk(page), first);
  assert.ok(await page.getByLabel("Your model").isChecked());
  await page.getByLabel("Ten things").check();
  await page.locator(".welcome .lead", { hasText: "these 10 things" }).waitFor({ timeout: 60_000 });
  await ready(page);
  await page.getByLabel("Your model").check();
  await page.getByRole("heading", { name: "Bandit" }).waitFor({ timeout: 60_000 });
  assert.deepEqual(page.faults, []);
});

test("an address elsewhere: fetched by the one frame that may, given up, gone on with, and kept", async () => {
  const file = await serve({ slow: 15 });
  const page = await here.open();
  // From the second visit on the service worker stands between.
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await page.reload();
  await ready(page);
  await open(page);
  await lookAt(page, file.url);
  await page.getByRole("button", { name: "Fetch and load it" }).waitFor({ timeout: 30_000 });
  assert.ok(file.asked[0].sent < 8e6, `${file.asked[0].sent} bytes to say what it is`);
  await page.getByRole("button", { name: "Fetch and load it" }).click();
  const bar = dialog(page).getByRole("progressbar");
  await page.waitForFunction(() => Number(document.querySelector("dialog [role=progressbar]")?.getAttribute("aria-valuenow")) > 40);
  await dialog(page).getByRole("button", { name: "Cancel" }).click();
  await bar.waitFor({ state: "hidden" });
  await page.locator('button.badge[aria-busy="false"]').waitFor();
  file.slow = 0;
  // The frame has a moment to keep what has arrived.
  await page.waitForFunction(() => !document.querySelector('iframe[title="Fetches the file"]'));
  await page.getByRole("button", { name: "Fetch and load it" }).click();
  await dialog(page).waitFor({ state: "hidden", timeout: 60_000 });
  await page.getByRole("heading", { name: "Bandit" }).waitFor();
  assert.ok(Number(/^bytes=(\d+)-$/.exec(file.asked.at(-1).range)?.[1]) > 4e6, `it went on at ${file.asked.at(-1).range}`);
  await page.reload();
  await ready(page);
  await page.getByRole("heading", { name: "Bandit" }).waitFor();
  assert.deepEqual([file.asked.at(-1).range, file.asked.at(-1).sent], [`bytes=${large.length - 1}-`, 1]);
  await open(page);
  await page.getByRole("heading", { name: "Fetched before" }).waitFor();
  await page.getByRole("button", { name: `Forget ${file.url}` }).click();
  await page.getByRole("heading", { name: "Fetched before" }).waitFor({ state: "hidden" });
  assert.equal(await page.locator('iframe[title="Fetches the file"]').count(), 0);
  const reached = await page.evaluate((url) => fetch(url).then(() => "reached", (error) => error.name), file.url);
  assert.equal(reached, "TypeError", "the page itself reaches nothing else");
});

test("a file that its server does not let us know again is kept all the same, and plays without the server", async () => {
  const file = await serve({ etag: null });
  const page = await here.open();
  await open(page);
  await lookAt(page, file.url);
  await page.getByRole("button", { name: "Fetch and load it" }).click({ timeout: 30_000 });
  await dialog(page).waitFor({ state: "hidden", timeout: 60_000 });
  await page.getByText("model.archer plays.").waitFor();
  file.close();
  await page.reload();
  await ready(page);
  await page.getByText("model.archer plays.").waitFor();
  await page.getByRole("heading", { name: "Bandit" }).waitFor();
});

test("what it cannot say leaves the conversation as it was", async () => {
  const context = await here.context();
  await context.addInitScript(() => {
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (message, ...more) {
      if (window.failing && /"say"/.test(JSON.stringify(message))) throw new Error("it cannot");
      return postMessage.call(this, message, ...more);
    };
  });
  const page = await here.open({ context });
  await bring(page, "language.archer", language);
  const fail = (whether) => page.evaluate((value) => (window.failing = value), whether);
  const wrong = page.locator(".talk").getByRole("alert");
  const opening = page.getByLabel("What it reads first");
  await opening.fill("Digit: 7");
  await fail(true);
  await page.getByRole("button", { name: "Begin", exact: true }).click();
  await wrong.waitFor();
  assert.equal(await opening.inputValue(), "Digit: 7");
  await fail(false);
  const first = await talk(page);
  await fail(true);
  await page.getByRole("button", { name: "Say something else" }).click();
  await wrong.waitFor();
  assert.equal(await said(page, 0).innerText(), first);
  const reply = page.getByLabel("What the world says back");
  await fail(false);
  for (const fails of [true, false]) {
    await fail(fails);
    await reply.fill("Wrong.");
    await reply.press("Enter");
    await (fails ? wrong : said(page, 1)).waitFor();
  }
  assert.equal(await page.locator(".talk .lines pre").count(), 2, "the opening and one reply");
});

test("a name with a percent sign in it, and the focus stays in the dialog", async () => {
  const file = await serve();
  const page = await here.open();
  const focus = () => page.evaluate(() => document.activeElement?.textContent);
  await open(page);
  assert.equal(await focus(), "Bring your model", "where it opens");
  await lookAt(page, file.url.replace("model", "100%"));
  await dialog(page).getByRole("heading", { name: "100%.archer" }).waitFor({ timeout: 30_000 });
  await page.getByRole("button", { name: "Choose another" }).click();
  await page.getByLabel("Or the address of one").waitFor();
  assert.equal(await focus(), "Bring your model");
});

test("what is no model file is said to be what it is, with what to do; what played goes on", async () => {
  const page = await here.open();
  await open(page);
  for (const [name, start, what, hint] of [
    ["weights.gguf", "GGUF\u0003\u0000\u0000\u0000", /^The file weights\.gguf is not an archer model file: it is a GGUF file\./, /archer train .*--set actor=MODEL.*archer export|archer export.*--set actor=MODEL/s],
    ["config.json", '{"model_type": "llama"}', /JSON/, /--set actor=MODEL/],
    ["model.zip", "PK\u0003\u0004", /zip/, /archer export/],
    ["model.pt", "\x80\u0002", /pickle/, /archer export/],
    ["page.html", "<!doctype html><p>x", /HTML page/, /archer export/],
    ["cut.archer", language.subarray(0, 3000).toString("latin1"), /damaged/, /whole/],
  ]) {
    await choose(page, name, Buffer.from(start, "latin1"));
    await alert(page).filter({ hasText: what }).waitFor();
    assert.match(await alert(page).innerText(), hint);
  }
  const missing = await serve({ status: 404 });
  await lookAt(page, missing.url);
  await alert(page).filter({ hasText: /404.*Check the address/s }).waitFor({ timeout: 30_000 });
  const closed = await serve({ headers: { "access-control-allow-origin": "https://example.org" } });
  await lookAt(page, closed.url);
  await alert(page).filter({ hasText: /Access-Control-Allow-Origin.*download the file yourself/s }).waitFor({ timeout: 30_000 });
  const huge = await serve({ bytes: { length: 3 * 2 ** 30, subarray: () => large.subarray(0, 262_144) }, dieAfter: 262_144 });
  await lookAt(page, huge.url);
  await alert(page).filter({ hasText: /3\.0 GiB.*precision q4/s }).waitFor({ timeout: 30_000 });
  await lookAt(page, "ftp://example.org/agent.archer");
  await alert(page).filter({ hasText: "https:" }).waitFor();
  await page.keyboard.press("Escape");
  await dialog(page).waitFor({ state: "hidden" });
  await begin(page);
  assert.equal((await press(page, "n")).number, 2);
});

test("a file can be dropped anywhere; a folder is told what to make of it", async () => {
  const page = await here.open();
  await page.evaluate((bytes) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], "dropped.archer"));
    document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer }));
  }, [...language]);
  await dialog(page).getByRole("heading", { name: "dropped.archer" }).waitFor();
  await page.evaluate(() => {
    DataTransferItem.prototype.webkitGetAsEntry = () => ({ isDirectory: true, name: "SmolLM2" });
    const transfer = new DataTransfer();
    transfer.items.add(new File([], "SmolLM2"));
    document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: transfer }));
  });
  await alert(page).filter({ hasText: /SmolLM2 is a folder\..*archer export.*warm_start\.steps=0/s }).waitFor();
});

test("a device that is likely too small is told so by what was measured", async () => {
  const context = await here.context();
  await context.addInitScript(() => Object.defineProperty(Navigator.prototype, "deviceMemory", { get: () => 0.25 }));
  const page = await here.open({ context });
  await open(page);
  await choose(page, "large.archer", large);
  await dialog(page).getByRole("status").filter({ hasText: /device is likely too small.*0\.25 GB/s }).waitFor();
  assert.ok(await page.getByRole("button", { name: "Load it" }).isEnabled(), "it is a warning");
});

test("it is trained in its world and kept, and in a world of the visitor's own", async () => {
  const page = await here.open();
  await bring(page, "language.archer", language);
  await to(page, "Learn");
  await startTraining(page, { iterations: 1, lesson: "To play its world better" });
  await page.getByRole("button", { name: "Keep what it learned" }).click({ timeout: 240_000 });
  await page.locator("main").getByText("Kept. This agent plays now.").waitFor({ timeout: 60_000 });
  const learned = (await exported(page)).bytes;
  await page.reload();
  await ready(page);
  assert.ok((await exported(page)).bytes.equals(learned), "what it learned is there after a reload");
  await to(page, "Make your own");
  await page.locator(".cm-content").click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText(WORLD);
  await page.getByLabel("Your model").check();
  await page.getByRole("button", { name: "Train", exact: true }).click();
  await page.waitForFunction(() => Number(document.querySelector('[data-testid="made-iteration"]')?.textContent) >= 1, undefined, { timeout: 240_000 });
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "New game" }).click();
  await page.locator(".might tbody tr").first().waitFor({ timeout: 60_000 });
  assert.deepEqual(page.faults, []);
});

test("a large one is saved while it learns, without its own weights, and goes on after a reload", async () => {
  const page = await here.open();
  await bring(page, "large.archer", large);
  await page.locator("button.badge").click();
  await page.getByText(/a language model with \d+k? parameters of adapters, in a file of 20\.0 MB/).waitFor();
  await page.keyboard.press("Escape");
  await to(page, "Learn");
  await startTraining(page, { iterations: 2, games: "8", lesson: "To play its world better" });
  const keep = page.getByRole("button", { name: "Keep what it learned" });
  await keep.waitFor({ timeout: 240_000 });
  const learned = (await exported(page)).bytes;
  await page.reload();
  await ready(page);
  assert.ok((await exported(page)).bytes.equals(learned), "what it learned is there after a reload");
  await page.getByRole("button", { name: "Train more" }).click();
  await page.waitForFunction(() => Number(document.querySelector('[data-testid="iteration"]')?.textContent) >= 2);
  await keep.waitFor({ timeout: 240_000 });
  await keep.click();
  await page.locator("main").getByText("Kept. This agent plays now.").waitFor({ timeout: 60_000 });
  assert.deepEqual(page.faults, []);
});

test("an agent that plays Twenty Questions has the views that are there", async () => {
  const page = await here.open({ hash: "#learn" });
  const { bytes } = await exported(page);
  await to(page, "Play");
  await bring(page, "mine.archer", bytes);
  await page.locator(".welcome .lead", { hasText: "these 10 things" }).waitFor();
  await begin(page);
  assert.equal((await press(page, "n")).number, 2);
  await page.reload();
  await ready(page);
  assert.ok(await page.evaluate(() => localStorage.getItem("archer.1.supplied") === '"own"'));
  await page.locator("button.badge").click();
  await page.getByRole("button", { name: "Restore the built-in agent" }).click();
  await page.waitForFunction(() => localStorage.getItem("archer.1.supplied") === '"157"' && localStorage.getItem("archer.1.brought") === "null");
  assert.deepEqual(page.faults, []);
});

for (const [colorScheme, width] of [["light", 1280], ["dark", 390]]) {
  test(`axe finds nothing in what belongs to it, and nothing sticks out, ${colorScheme} at ${width}`, async () => {
    const page = await here.open({ colorScheme, reducedMotion: "reduce", viewport: { width, height: 844 } });
    const fits = async (where) => {
      assert.deepEqual(await violations(page), [], where);
      assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, where);
      assert.ok(await page.evaluate(() => [...document.querySelectorAll("dialog[open]")].every((one) => one.scrollWidth <= one.clientWidth)), where);
    };
    await open(page);
    await fits("the dialog");
    await choose(page, `${"a-long-name-".repeat(8)}.gguf`, Buffer.from("GGUF\u0003\u0000"));
    await alert(page).waitFor();
    await fits("an error");
    await choose(page, "language.archer", language);
    await page.getByRole("button", { name: "Load it" }).waitFor();
    await fits("what was found");
    await page.getByRole("button", { name: "Load it" }).click();
    await dialog(page).waitFor({ state: "hidden", timeout: 60_000 });
    await talk(page);
    await fits("the conversation");
    await to(page, "Learn");
    await fits("Learn");
    await page.context().close();
  });
}
