// Looking inside: a game is stepped through, another question is forced, and the person's own game stays as it was.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, position, press, site } from "./harness.js";

const here = site();
const open = async (page) => {
  await page.locator("header").getByRole("link", { name: "Inside" }).click();
  await page.getByRole("button", { name: /Ask this instead/ }).first().waitFor({ timeout: 30_000 });
};
const number = (text) => Number(text.replace("−", "-").replace("+", ""));

test("values fit together: the advantage is the lower Q less the lower V", async () => {
  const page = await here.open({ hash: "#inside" });
  await page.getByRole("button", { name: /Ask this instead/ }).first().waitFor({ timeout: 30_000 });
  await page.getByLabel("Details: both critics’ numbers").check();
  // The first value is what both say together.
  const [, v1, v2] = (await page.locator(".lens .state dd").allInnerTexts()).map(number);
  const rows = await page.locator(".judged tbody tr").all();
  assert.ok(rows.length >= 2, "there are alternatives");
  for (const row of rows) {
    const [q1, q2, advantage] = await Promise.all(
      ["Q1", "Q2", "Advantage"].map(async (label) => number(await row.locator(`[data-label="${label}"]`).innerText())),
    );
    assert.ok(Math.abs(Math.min(q1, q2) - Math.min(v1, v2) - advantage) < 0.016, `${q1} ${q2} ${v1} ${v2} ${advantage}`);
  }
  assert.deepEqual(page.faults, []);
});

test("the strip's ends are labelled as the numbers beside it, late in a game too", async () => {
  const page = await here.open({ hash: "#inside" });
  await page.locator(".turns button").last().click();
  await page.locator(".judged tbody tr").nth(1).waitFor({ timeout: 30_000 });
  const enclosed = async (label) => {
    const [low, high] = (await page.locator(".judged .axis > span").allInnerTexts()).map(number);
    const values = (await page.locator(`.judged [data-label="${label}"]`).allInnerTexts()).map(number);
    // The labels have one digit.
    for (const value of values) assert.ok(value > low - 0.06 && value < high + 0.06, `${label} ${value} in ${low} to ${high}`);
  };
  await enclosed("Final score");
  await page.getByLabel("Details: both critics’ numbers").check();
  await enclosed("Q1");
  await enclosed("Q2");
  assert.deepEqual(page.faults, []);
});

test("forcing another question changes the copy and leaves the person's game alone", async () => {
  const page = await here.open();
  await begin(page);
  await press(page, "n");
  const now = await press(page, "n");
  await open(page);
  const asked = await page.locator(".turns .q").allInnerTexts();
  const other = page.getByRole("button", { name: /Ask this instead/ }).first();
  const question = (await other.getAttribute("aria-label")).replace("Ask this instead: ", "");
  await other.click();
  await page.locator(".otherwise", { hasText: "Expected final score" }).waitFor({ timeout: 30_000 });
  assert.ok((await page.locator(".turns .q").last().innerText()).includes(question), "it is asked in the last turn, the chosen one");
  await page.locator(".otherwise").getByRole("button", { name: "No", exact: true }).click();
  await page.waitForFunction((length) => document.querySelectorAll(".turns li").length === length, asked.length + 1);
  await page.getByRole("button", { name: "Back to the original game" }).click();
  await page.waitForFunction((length) => document.querySelectorAll(".turns li").length === length, asked.length);
  assert.deepEqual(await page.locator(".turns .q").allInnerTexts(), asked);
  await page.locator("header").getByRole("link", { name: "Play" }).click();
  assert.deepEqual(await position(page), now);
  assert.deepEqual(page.faults, []);
});

test("arrow keys walk along the turns, and a question of one's own is judged", async () => {
  const page = await here.open({ hash: "#inside" });
  await page.locator(".turns button").nth(1).waitFor({ timeout: 30_000 });
  await page.locator(".turns button").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.getByRole("heading", { name: "Before question 2" }).waitFor({ timeout: 30_000 });
  await page.getByLabel(/about your question/).fill("Is it made of metal?");
  await page.keyboard.press("Enter");
  await page.locator(".judged tbody tr", { hasText: "Is it made of metal?" }).waitFor({ timeout: 30_000 });
  assert.deepEqual(page.faults, []);
});

test("no final score is expected that cannot be, however sure the critic is that a game is lost", async () => {
  const page = await here.open();
  await begin(page);
  for (let n = 0; n < 20; n += 1) await press(page, "n");
  await open(page);
  for (const turn of [14, 18, 19, 20]) {
    await page.locator(".turns button").nth(turn - 1).click();
    await page.getByRole("heading", { name: `Before question ${turn}` }).waitFor({ timeout: 30_000 });
    const scores = [page.locator(".lens .state dd").first(), ...(await page.locator('.judged [data-label="Final score"]').all())];
    for (const score of scores) assert.ok(number(await score.innerText()) >= -20, `${turn}: ${await score.innerText()}`);
  }
  assert.doesNotMatch(await page.locator(".lens .state").innerText(), /V1|Q1/, "one number, the others under details");
  assert.deepEqual(page.faults, []);
});

test("a suggested question is scored by a click", async () => {
  const page = await here.open({ hash: "#inside" });
  await page.getByRole("group", { name: "Questions to score" }).getByRole("button", { name: "Does it taste good with ketchup?" }).click({ timeout: 30_000 });
  await page.locator(".judged tbody tr", { hasText: "ketchup" }).waitFor({ timeout: 30_000 });
  assert.deepEqual(page.faults, []);
});

test("on a phone, a tap on a turn changes what is in sight", async () => {
  const page = await here.open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, hash: "#inside" });
  await page.locator(".turns button").nth(1).waitFor({ timeout: 30_000 });
  await page.locator(".turns button").nth(1).tap();
  const heading = page.getByRole("heading", { name: "Before question 2" });
  await heading.waitFor({ timeout: 30_000 });
  const { y, height } = await heading.boundingBox();
  const state = await page.locator(".lens .state").boundingBox();
  assert.ok(y > 0 && state.y + state.height < 844, `heading at ${y}, ${height} high, the score until ${state.y + state.height}`);
});
