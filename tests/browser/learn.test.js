// Learning in the page: the curve moves, it pauses and stops, what it learned is kept or rolled back, and
// neither a reload nor the work itself takes the page away from the person.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, position, press, ready, site } from "./harness.js";

const here = site();
const SLOW = { timeout: 240_000 };

const iteration = async (page) => Number(await page.getByTestId("iteration").innerText());
const reached = (page, number) =>
  page.waitForFunction((n) => Number(document.querySelector('[data-testid="iteration"]')?.textContent) >= n, number, SLOW);

async function start(page, { iterations, seed = 1 }) {
  await page.getByLabel("Iterations").fill(String(iterations));
  await page.getByLabel("Seed", { exact: true }).fill(String(seed));
  await page.getByLabel("Games an iteration").selectOption("16");
  await page.getByRole("button", { name: "Start learning" }).click();
}

/** What is drawn of a curve. */
const drawn = (page, title) =>
  page
    .locator("figure", { hasText: title })
    .locator("canvas")
    .evaluate((canvas) => canvas.toDataURL());

const shown = (page, title) => page.locator("figure", { hasText: title }).locator(".legend b").first().innerText();

test("a fine-tune: the curves move, before and after are compared, and it is kept", async () => {
  const page = await here.open({ hash: "#learn" });
  await start(page, { iterations: 3 });
  await reached(page, 1);
  const first = [await drawn(page, "Return of its games"), await drawn(page, "error of Q")];
  const value = await shown(page, "Return of its games");
  assert.match(value, /^−\d/);
  await reached(page, 3);
  assert.notEqual(await drawn(page, "Return of its games"), first[0]);
  assert.notEqual(await drawn(page, "error of Q"), first[1]);
  await page.getByRole("button", { name: "Keep what it learned" }).waitFor(SLOW);
  const rows = await page.locator(".verdict tbody tr").allInnerTexts();
  assert.equal(rows.length, 5);
  assert.match(rows[0], /Mean return\s+−[\d.]+\s+−[\d.]+ to −[\d.]+\s+−[\d.]+/);
  const behind = Number((await page.locator(".terminal").innerText()).match(/archer-(\d+)/)[1]);
  await page.getByRole("button", { name: "Keep what it learned" }).click();
  await page.getByText("Kept: this is the agent that plays now").waitFor(SLOW);
  assert.match(await page.locator(".terminal").innerText(), new RegExp(`archer-${behind}\\b`));
  // What was kept outlives the tab.
  await page.reload();
  await ready(page);
  assert.match(await page.locator(".terminal").innerText(), new RegExp(`archer-${behind}\\b`));
  assert.deepEqual(page.faults, []);
});

test("pause holds it, go on goes on, stop stops early, and roll back brings the old agent back", async () => {
  const page = await here.open({ hash: "#learn" });
  const before = await page.locator(".terminal").innerText();
  await start(page, { iterations: 50 });
  await reached(page, 1);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.locator(".controls").getByText("Paused.", { exact: true }).waitFor(SLOW);
  const held = await iteration(page);
  await page.waitForTimeout(4000);
  assert.equal(await iteration(page), held);
  await page.getByRole("button", { name: "Go on" }).click();
  await reached(page, held + 1);
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Roll back" }).waitFor(SLOW);
  await page.getByRole("button", { name: "Roll back" }).click();
  await page.getByText("Rolled back: the agent plays as before").waitFor(SLOW);
  assert.equal(await page.locator(".terminal").innerText(), before);
  assert.deepEqual(page.faults, []);
});

test("a reload in the middle: it can be gone on with, or discarded", async () => {
  const page = await here.open({ hash: "#learn" });
  await start(page, { iterations: 40 });
  await reached(page, 2);
  await page.waitForFunction(async () => (await indexedDB.databases()).length > 0);
  await page.reload();
  await ready(page);
  await page.getByText("A fine-tune was interrupted").waitFor();
  const done = await page.locator("figure").count();
  assert.ok(done > 0, "the curves are still there");
  await page.getByRole("button", { name: "Go on" }).click();
  await reached(page, 3);
  await page.getByRole("button", { name: "Stop" }).click();
  await page.getByRole("button", { name: "Roll back" }).waitFor(SLOW);
});

test("the page answers within a tenth of a second while it learns, and a game can be played", async () => {
  const page = await here.open({ hash: "#learn" });
  await start(page, { iterations: 200 });
  await reached(page, 1);
  await page.evaluate(() => {
    window.delays = [];
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) window.delays.push(entry.duration);
    }).observe({ type: "event", durationThreshold: 16 });
    // Events shorter than the threshold are not reported: count them by hand.
    window.inputs = 0;
    addEventListener("keydown", () => (window.inputs += 1), true);
  });
  await page.locator("header").getByRole("link", { name: "Play" }).click();
  let now = await begin(page);
  for (let n = 0; n < 8 && !now.over; n++) now = await press(page, "d");
  await page.locator("header").getByRole("link", { name: "Learn" }).click();
  for (let n = 0; n < 20; n++) await page.keyboard.press("Tab");
  const { delays, inputs } = await page.evaluate(() => ({ delays: window.delays, inputs: window.inputs }));
  const slow = delays.filter((delay) => delay > 100);
  console.log(`  ${inputs} keys; event to paint: worst ${Math.max(0, ...delays)} ms, over 100 ms: ${slow.length}`);
  assert.ok(inputs >= 25);
  assert.deepEqual(slow, []);
  assert.ok((await iteration(page)) >= 1, "it went on learning");
  assert.deepEqual(page.faults, []);
});
