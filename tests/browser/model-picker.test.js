// The two agents that come with the page: the one that knows 157 things plays by itself, the one of ten can be chosen.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, exported, position, press, ready, site, startTraining } from "./harness.js";

const here = site();
const known = (page, number) => page.locator(".welcome .lead", { hasText: `these ${number} things` }).waitFor();

test("157 things: a game to its end asks no question twice, and what it suspects adds up", async () => {
  const page = await here.open({ context: await here.anywhere() });
  await known(page, 157);
  let now = await begin(page);
  // Yes to two questions, never to a guess, which would end the game.
  let yes = 2;
  for (let turn = 0; turn < 6; turn += 1) now = await press(page, !now.guess && yes-- > 0 ? "y" : "n");
  await page.locator(".suspicions .p").nth(1).waitFor();
  // In one go: they may change at any time, since the last answer is still being thought about.
  const told = await page.locator(".suspicions").evaluate((all) => [...all.querySelectorAll(".p")].map((share) => share.textContent));
  const shares = told.map((text) => Number.parseInt(text, 10));
  assert.ok(shares.every((share) => share >= 0) && shares.reduce((sum, share) => sum + share) <= 105, `${shares}`);
  while (!now.over) now = await press(page, "n");
  const asked = await page.locator(".history li .q").allInnerTexts();
  assert.equal(asked.length, 20);
  assert.equal(new Set(asked).size, 20, asked.join("\n"));
  assert.deepEqual(page.faults, []);
});

test("the other agent can be chosen, is there after a reload, and each is kept in a place of its own", async () => {
  const page = await here.open({ context: await here.anywhere(), hash: "#learn" });
  const large = (await exported(page)).bytes;
  await page.getByLabel("Ten things").check();
  await page.waitForFunction(() => localStorage.getItem("archer.1.supplied") === '"10"');
  await ready(page);
  const small = (await exported(page)).bytes;
  assert.ok(small.length < large.length);
  await page.reload();
  await ready(page);
  assert.ok((await exported(page)).bytes.equals(small));
  await startTraining(page, { iterations: 1 });
  assert.ok(await page.getByLabel("157 things").isDisabled(), "not while it learns");
  const because = page.locator("main .picker p");
  await because.filter({ hasText: /^(You can switch when the training has ended|To switch, first keep or discard what it learned)\.$/ }).waitFor();
  await page.getByRole("button", { name: "Keep what it learned" }).waitFor({ timeout: 240_000 });
  await because.filter({ hasText: "To switch, first keep or discard what it learned." }).waitFor();
  await page.locator("header").getByRole("link", { name: "Play" }).click();
  assert.ok(await page.getByLabel("157 things").isDisabled(), "nor while nothing is decided");
  await because.filter({ hasText: "To switch, first keep or discard what it learned." }).waitFor();
  await page.locator("header").getByRole("link", { name: "Learn" }).click();
  await page.getByRole("button", { name: "Keep what it learned" }).click({ timeout: 240_000 });
  await page.locator("main").getByText("Kept. This agent plays now.").waitFor();
  const learned = (await exported(page)).bytes;
  await page.getByLabel("157 things").check();
  await page.waitForFunction(() => localStorage.getItem("archer.1.supplied") === '"157"');
  await ready(page);
  assert.ok((await exported(page)).bytes.equals(large), "nothing of the one is in the other");
  assert.equal(await page.locator("figure canvas").count(), 0, "and no curves of the one beside the other");
  await page.getByLabel("Ten things").check();
  await page.waitForFunction(() => localStorage.getItem("archer.1.supplied") === '"10"');
  await ready(page);
  assert.ok((await exported(page)).bytes.equals(learned), "what one has learned waits for it");
  assert.deepEqual(page.faults, []);
});

test("what the page thinks of is dropped where the things are others; the agent's own game goes on", async () => {
  const page = await here.open({ context: await here.anywhere() });
  await begin(page);
  const now = await press(page, "n");
  await page.getByLabel("You ask").check();
  await page.getByRole("button", { name: "Pick something" }).click();
  await page.locator("header").getByRole("link", { name: "Learn" }).click();
  await page.getByLabel("Ten things").check();
  await ready(page);
  await page.locator("header").getByRole("link", { name: "Play" }).click();
  await page.getByRole("button", { name: "Pick something" }).waitFor();
  assert.equal(await page.locator(".things li").count(), 10);
  await page.getByLabel("It asks").check();
  assert.equal((await position(page)).number, now.number);
  assert.deepEqual(page.faults, []);
});
