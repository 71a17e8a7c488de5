// Playing, by keyboard alone and both ways round; and that a reload changes nothing.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, position, press, ready, site } from "./harness.js";

const here = site();

const history = (page) => page.locator(".history li").allInnerTexts();

test("a whole game by keyboard: the first guess is confirmed", async () => {
  const page = await here.open();
  let now = await begin(page);
  assert.equal(now.number, 1);
  while (!now.over && !now.guess) now = await press(page, "n");
  const thing = now.text;
  const questions = now.number;
  const end = await press(page, "y");
  assert.ok(end.over);
  assert.match(end.text, /^It is /);
  const name = thing.replace(/^.*\b(an?|the|of|it) /i, "").replace("?", "");
  assert.ok(end.text.includes(name.split(" ").at(-1)), `${end.text} after ${thing}`);
  assert.match(await page.locator(".card .count").innerText(), new RegExp(`\\b${questions} question`));
  // Enter begins anew, without a hand on the mouse: the button has the focus.
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.querySelector(".card.end") === null);
  assert.equal((await position(page)).number, 1);
  assert.deepEqual(page.faults, []);
});

test("a lost game by keyboard: twenty times No, and then the page is told what it was", async () => {
  const page = await here.open();
  let now = await begin(page);
  for (let n = 1; n <= 20; n++) {
    assert.equal(now.number, n);
    now = await press(page, "n");
  }
  assert.ok(now.over);
  assert.match(now.text, /What was it/);
  const thing = await page.locator("#known-things option").first().getAttribute("value");
  const field = page.getByLabel("It was");
  // One answer too many is no word of what it was, and the last one can still be taken back.
  await page.keyboard.press("n");
  assert.equal(await field.inputValue(), "");
  assert.equal((await press(page, "Backspace")).number, 20);
  assert.ok((await press(page, "n")).over);
  await page.keyboard.press("Tab");
  await page.keyboard.type(thing);
  await page.keyboard.press("Enter");
  await page.locator(".card.end", { hasText: "So it was" }).waitFor();
  const all = await history(page);
  assert.equal(all.length, 20);
  // What is shown to differ are questions that were asked and answered No, and their facts are another.
  for (const line of await page.locator(".astray tbody tr").all()) {
    const [question, said, fact] = await line.locator("td").allInnerTexts();
    assert.ok(all.some((asked) => asked.includes(question)), question);
    assert.deepEqual([said, fact], ["No", "Yes"]);
  }
  // A guess of the very thing was denied, if it was guessed: then it is one of them.
  const guessed = all.filter((asked) => asked.includes(`${thing}?`)).length;
  assert.equal(await page.locator(".astray tbody tr", { hasText: `${thing}?` }).count(), guessed);
  assert.deepEqual(page.faults, []);
});

test("Backspace takes the last answer back, and the same question stands open again", async () => {
  const page = await here.open();
  const first = await begin(page);
  const second = await press(page, "n");
  assert.equal(second.number, 2);
  const third = await press(page, "d");
  assert.equal(third.number, 3);
  assert.deepEqual(await press(page, "Backspace"), second);
  assert.deepEqual(await press(page, "Backspace"), first);
  assert.equal((await history(page)).length, 0);
});

test("the guesses add up, and a denied one is marked", async () => {
  const page = await here.open();
  let now = await begin(page);
  while (!now.guess && !now.over) now = await press(page, "n");
  await press(page, "n");
  const shares = await page.locator(".suspicions .p").allInnerTexts();
  const sum = shares.map((text) => Number.parseInt(text, 10)).reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(sum - 100) <= 5, `${shares}`);
  await page.locator(".suspicions .denied").first().waitFor();
});

test("a reload keeps the game: questions, answers, count", async () => {
  const page = await here.open();
  await begin(page);
  await press(page, "n");
  await press(page, "d");
  const now = await press(page, "n");
  const before = await history(page);
  await page.reload();
  await ready(page);
  assert.deepEqual(await position(page), now);
  assert.deepEqual(await history(page), before);
});

test("the other way round: a person finds what the page thinks of", async () => {
  const page = await here.open();
  await page.getByLabel("You ask").check();
  const things = await page.locator(".things li").allInnerTexts();
  await page.getByRole("button", { name: "Think of something" }).click();
  const ask = async (question) => {
    const asked = await page.locator(".history li").count();
    await page.getByLabel("Your question", { exact: true }).fill(question);
    await page.keyboard.press("Enter");
    await page.locator(".history li").nth(asked).waitFor();
  };
  await ask("flurb the wug");
  assert.match(await page.locator(".history li").first().innerText(), /Not understood/);
  await ask("Is it alive?");
  assert.match(await page.locator(".history li").first().innerText(), /Yes|No/);
  await page.getByRole("button", { name: "Take back" }).click();
  await page.waitForFunction(() => document.querySelectorAll(".history li").length === 1);
  // A reload keeps what it thinks of: the thing itself cannot be seen, but the answers stay the same.
  await page.reload();
  await ready(page);
  await page.waitForFunction(() => document.querySelectorAll(".history li").length === 1);
  for (const thing of things) {
    await ask(`Is it a ${thing}?`);
    if ((await page.locator(".card", { hasText: "You found it" }).count()) > 0) break;
  }
  await page.locator(".card", { hasText: "You found it" }).waitFor();
  assert.deepEqual(page.faults, []);
});

test("a game that is given up while a question is written stays given up", async () => {
  const page = await here.open();
  await begin(page);
  await page.evaluate(() => {
    new MutationObserver((_, watch) => {
      if (!document.querySelector(".question.writing")?.textContent) return;
      watch.disconnect();
      [...document.querySelectorAll("button")].find((button) => button.textContent === "Give up this game").click();
      window.gaveUp = true;
    }).observe(document.body, { childList: true, characterData: true, subtree: true });
  });
  await page.keyboard.press("n");
  await page.waitForFunction(() => window.gaveUp);
  await page.getByRole("button", { name: "I have one in mind" }).waitFor();
  await page.waitForTimeout(1000); // the question would be there by now
  assert.equal(await page.locator(".card").count(), 0);
  assert.equal(await page.evaluate(() => localStorage.getItem("archer.1.asked")), "null");
  assert.equal((await begin(page)).number, 1);
  assert.deepEqual(page.faults, []);
});

test("a kept game that no longer fits is dropped without a word", async () => {
  const context = await here.context();
  await context.addInitScript(() => {
    const turns = [{ question: "Is it alive?", answer: "perhaps", forced: false }];
    localStorage.setItem("archer.1.asked", JSON.stringify({ seed: 1, turns, told: null }));
    localStorage.setItem("archer.1.hosted", JSON.stringify({ seed: 1, things: 10, questions: [" "], gaveUp: false }));
  });
  const page = await here.open({ context });
  await page.getByRole("button", { name: "I have one in mind" }).waitFor();
  await page.waitForFunction(() => localStorage.getItem("archer.1.asked") === "null");
  await page.waitForFunction(() => localStorage.getItem("archer.1.hosted") === "null");
  assert.equal(await page.getByRole("alert").count(), 0);
  assert.equal((await begin(page)).number, 1);
});

test("no key is named where no key answers", async () => {
  const page = await here.open();
  await begin(page);
  assert.ok((await page.locator(".card kbd").count()) > 0);
  await page.getByLabel("Letter keys answer").uncheck();
  assert.equal(await page.locator(".card kbd").count(), 0);
  assert.equal(await page.locator(".card [aria-keyshortcuts]").count(), 0);
});
