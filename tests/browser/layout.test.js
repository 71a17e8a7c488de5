// What stands where, and what is said of the page itself: rules reach the edge, nothing jumps, sticks together or sticks out.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, press, site } from "./harness.js";

const here = site();
const box = (locator) => locator.boundingBox();

/** Puts what a training has shown into the storage, as a visit before has left it. */
async function withLog(part, options = {}) {
  const context = await here.context(options);
  const numbers = (mean, low, high, winRate, invalidRate) => ({
    games: 200, meanReturn: mean, returnCi95: [low, high], winRate, meanTurns: 10, invalidRate, repeatRate: 0, optimumReturn: null,
  });
  const point = (iteration, metrics = {}) => ({
    iteration, mean: -9, low: -9.5, high: -8.5, greedy: null, gamesPerSecond: 10, seconds: 1, warmup: true, metrics,
  });
  const log = {
    settings: { iterations: 2, seed: 1, games: 16, resume: false, lesson: { kind: "beginning", often: [], about: "", question: "", answer: "yes", thing: "" } },
    base: 0, saved: 2, best: null, outcome: "kept",
    points: [point(1, { "q1.loss": 1, "q2.loss": 1, "v1.loss": 1, "v2.loss": 1, "rollout.entropy": 0.5, "rollout.win_rate": 1 })],
    before: numbers(-9.27, -9.9, -8.6, 0.94, 0.011), after: numbers(-8.96, -9.5, -8.4, 0.95, 0.001),
    sample: { thing: "dog", before: null, after: null },
    ...part({ numbers, point }),
  };
  await context.addInitScript((kept) => localStorage.setItem("archer.1.learning", kept), JSON.stringify(log));
  return here.open({ context, hash: "#learn" });
}

test("a change within both intervals is no improvement; one beyond them is; a single point is a point", async () => {
  const rows = (page) => page.locator(".verdict tbody tr");
  const change = (page, n) => rows(page).nth(n).locator("td").nth(2);
  const chance = await withLog(() => ({}));
  assert.deepEqual([await change(chance, 0).innerText(), (await change(chance, 0).getAttribute("class")) || ""], ["+0.31", ""]);
  assert.equal(await change(chance, 1).innerText(), "+1 point");
  assert.equal(await change(chance, 2).innerText(), "0.0");
  assert.equal(await change(chance, 4).innerText(), "−1 point");
  assert.doesNotMatch(await chance.locator(".verdict").innerText(), /[−+-]0\.?0*(\s|$)/m);
  const clear = await withLog(({ numbers }) => ({ after: numbers(-4, -4.2, -3.8, 1, 0) }));
  assert.deepEqual([await change(clear, 0).innerText(), await change(clear, 0).getAttribute("class")], ["+5.27", "good"]);
  const worse = await withLog(({ numbers }) => ({ after: numbers(-12, -12.5, -11.5, 0.9, 0) }));
  assert.equal(await change(worse, 0).getAttribute("class"), "bad");
});

test("a chart without a value is not drawn: while only the critic learns there is no advantage", async () => {
  const advantage = (page) => page.locator("figure", { hasText: "Advantage" });
  const warm = await withLog(() => ({}));
  await warm.getByText("More charts").click();
  await warm.locator("figure", { hasText: "Entropy" }).waitFor();
  assert.equal(await advantage(warm).count(), 0);
  const learned = await withLog(({ point }) => ({ points: [point(1), point(2, { "advantages.mean": 0.1, "advantages.std": 0.3 })] }));
  await learned.getByText("More charts").click();
  await advantage(learned).waitFor();
});

test("the rules of header and footer reach both edges, and the lead does not jump between the sides", async () => {
  const page = await here.open();
  const width = await page.evaluate(() => document.documentElement.clientWidth);
  for (const name of ["header", "footer"]) {
    const { x, width: wide } = await box(page.locator(`#app > ${name}`));
    assert.deepEqual([Math.round(x), Math.round(wide)], [0, width], name);
  }
  const lead = page.locator(".welcome .lead");
  const { y } = await box(lead);
  await page.getByLabel("You ask").check();
  await page.getByRole("button", { name: "Pick something" }).waitFor();
  assert.ok(Math.abs((await box(lead)).y - y) < 1.5, `${y} and ${(await box(lead)).y}`);
});

test("notices and buttons keep their distance from the text above", async () => {
  const learn = await here.open({ hash: "#learn" });
  await learn.getByLabel("A new thing").check();
  await learn.getByLabel("It has never heard of").fill("flurbwug");
  await learn.getByRole("button", { name: "Start training" }).click();
  const alert = learn.getByRole("alert").filter({ hasText: "flurbwug" });
  await alert.waitFor({ timeout: 60_000 });
  const lead = await box(learn.locator("main > .lead"));
  assert.ok((await box(alert)).y - (lead.y + lead.height) >= 8);
});

test("a word of fifty letters stays on its card on a phone, and the buttons below keep their distance", async () => {
  const page = await here.open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await begin(page);
  for (let n = 0; n < 20; n += 1) await press(page, "n");
  const word = "pneumonoultramicroscopicsilicovolcanoconiosisesses";
  assert.equal(word.length, 50);
  await page.getByLabel("It was …").fill(word);
  await page.getByRole("button", { name: "Submit" }).click();
  const told = page.locator(".told", { hasText: "I’ve never heard of" });
  await told.waitFor();
  const [card, sentence] = [await box(page.locator(".card")), await box(told)];
  const inner = await told.evaluate((element) => element.scrollWidth - element.clientWidth);
  assert.ok(inner <= 0 && sentence.x + sentence.width <= card.x + card.width, "it is broken");
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0);
  const next = await box(page.locator(".card .buttons .button").first());
  assert.ok(next.y - (sentence.y + sentence.height) >= 8, `${next.y - (sentence.y + sentence.height)} pixels`);
});

test("the page says what it is to whoever links to it, and on which terms it is made", async () => {
  const page = await here.open();
  const meta = (name) => page.locator(`meta[property="${name}"]`).getAttribute("content");
  assert.match(await meta("og:title"), /archer/);
  assert.ok((await meta("og:description")).length > 50);
  for (const file of [await meta("og:image"), await page.locator('link[rel="apple-touch-icon"]').getAttribute("href")]) {
    const bytes = await page.evaluate(async (address) => [...new Uint8Array(await (await fetch(address)).arrayBuffer()).slice(1, 4)], file);
    assert.equal(String.fromCharCode(...bytes), "PNG", file);
  }
  const licences = await page.getByRole("contentinfo").getByRole("link", { name: "Licences" }).getAttribute("href");
  const text = await page.evaluate(async (address) => (await fetch(address)).text(), licences);
  for (const part of ["preact", "uplot", "codemirror"]) assert.ok(text.includes(part), part);
  assert.match(await page.getByRole("contentinfo").innerText(), /Nothing is sent anywhere\./);
  assert.deepEqual(page.faults, []);
});

test("in ten seconds: what it is, which things there are, and how to see one played", async () => {
  const page = await here.open({ context: await here.anywhere() });
  await page.getByText("A language model small enough to run in this tab.").waitFor();
  const things = page.locator(".welcome .things");
  await page.getByText("Show all 157").waitFor();
  assert.equal(await things.first().locator("li").count(), 12);
  await page.getByText("Show all 157").click();
  assert.equal(await things.nth(1).locator("li").count(), 157);
  assert.ok(await things.nth(1).isVisible());
  await page.getByText("Ten things make a short game").waitFor();
  await page.getByRole("button", { name: "Surprise me: watch it play" }).waitFor();
});
