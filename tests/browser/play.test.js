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
  assert.match(end.text, /^It’s .*!$/);
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
  const field = page.getByLabel("It was …");
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

test("a lost game teaches: a thing that the table knows and the agent does not is one click from being learned", async () => {
  const page = await here.open();
  await begin(page);
  for (let n = 0; n < 20; n += 1) await press(page, "n");
  await page.getByLabel("It was …").fill("cat");
  await page.getByRole("button", { name: "Submit" }).click();
  await page.getByRole("link", { name: "Teach it a cat" }).click();
  assert.equal(await page.getByLabel("A new thing").isChecked(), true);
  assert.equal(await page.getByLabel("It has never heard of").inputValue(), "cat");
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
  await page.getByRole("button", { name: "Pick something" }).click();
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
  await page.getByRole("button", { name: "Undo" }).click();
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
      [...document.querySelectorAll("button")].find((button) => button.textContent === "Quit game").click();
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
  await page.getByLabel("Answer with letter keys").uncheck();
  assert.equal(await page.locator(".card kbd").count(), 0);
  assert.equal(await page.locator(".card [aria-keyshortcuts]").count(), 0);
});

test("the strip shows what else it might ask, with chances and the critic's view, and can be switched off", async () => {
  const page = await here.open();
  const { text } = await begin(page);
  const rows = page.locator(".strip-of-thoughts tbody tr");
  await rows.first().waitFor();
  assert.equal(await rows.first().locator("th").innerText(), text, "what it asks comes first");
  const chances = await rows.locator("td:nth-child(2)").allInnerTexts();
  assert.ok(chances.every((chance) => /^(<1|\d{1,3})%$/.test(chance)), `${chances}`);
  await page.getByLabel("Watch it think").uncheck();
  await rows.first().waitFor({ state: "detached" });
  await press(page, "n");
  await page.locator(".suspicions li").first().waitFor();
  assert.equal(await rows.count(), 0);
  assert.deepEqual(page.faults, []);
});

test("what was denied is not what it would guess: the others add up, and the denied stand below", async () => {
  const page = await here.open();
  let now = await begin(page);
  while (!now.guess && !now.over) now = await press(page, "n");
  const denied = now.text.replace(/^Is it (an? )?/, "").replace("?", "");
  await press(page, "n");
  await page.locator(".suspicions .denied", { hasText: denied }).waitFor();
  const listed = await page.locator(".suspicions .thing").allInnerTexts();
  assert.ok(!listed.includes(denied), `${listed}`);
  const shares = (await page.locator(".suspicions .p").allInnerTexts()).map((text) => Number.parseInt(text, 10));
  const sum = shares.reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(sum - 100) <= 5, `${shares}`);
});

test("watch it play: the table answers to the end, and a reload goes on watching", async () => {
  const page = await here.open();
  await page.getByRole("button", { name: "Surprise me: watch it play" }).click();
  const about = await page.locator(".watched b").innerText();
  assert.equal(await page.locator(".answers").count(), 0, "nobody is asked");
  await page.locator(".history li").first().waitFor();
  // A letter is no answer here.
  await page.keyboard.press("y");
  await page.reload();
  await ready(page);
  assert.equal(await page.locator(".watched b, .card.end .question").first().isVisible(), true);
  await page.locator(".card.end").waitFor({ timeout: 60_000 });
  const end = await page.locator(".card.end .question").innerText();
  assert.ok(end.toLowerCase().includes(about.replace(/^an? /, "")), `${end} of ${about}`);
  await page.getByRole("button", { name: "Play yourself" }).click();
  await page.getByRole("button", { name: "I have one in mind" }).waitFor();
  assert.deepEqual(page.faults, []);
});

test("Back leads from a game to the page before it, and to the other side; forward leads into the game again", async () => {
  const page = await here.open({ hash: "#play" });
  await page.getByLabel("You ask").check();
  await page.getByRole("button", { name: "Pick something" }).waitFor();
  assert.match(page.url(), /#play\/you-ask$/);
  await page.goBack();
  await page.getByRole("button", { name: "I have one in mind" }).waitFor();
  const first = await begin(page);
  const now = await press(page, "n");
  assert.match(page.url(), /#play\/game$/);
  await page.goBack();
  await page.getByRole("button", { name: "Back to your game" }).waitFor();
  // Letters answer nothing that cannot be seen.
  await page.keyboard.press("y");
  await page.goForward();
  assert.deepEqual(await position(page), now);
  assert.notDeepEqual(first, now);
  await page.getByRole("button", { name: "Quit game" }).click();
  await page.getByRole("button", { name: "I have one in mind" }).waitFor();
  assert.match(page.url(), /#play$/);
  assert.deepEqual(page.faults, []);
});

test("a finished game is shared by its link alone, and a link that was cut says so", async () => {
  const context = await here.context({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await here.open({ context });
  let now = await begin(page);
  while (!now.over && !now.guess) now = await press(page, "n");
  const { number } = now;
  await press(page, "y");
  const said = await history(page);
  await page.getByRole("button", { name: "Copy link to this game" }).click();
  await page.getByRole("button", { name: "Link copied" }).waitFor();
  const link = await page.evaluate(() => navigator.clipboard.readText());
  const other = await here.open({ context: await here.context(), hash: new URL(link).hash });
  await other.locator(".card.end .question", { hasText: new RegExp(`^It found .* in ${number} questions?\\.$`) }).waitFor();
  assert.deepEqual((await history(other)).reverse(), said);
  await other.getByRole("link", { name: "Play it yourself" }).click();
  await other.getByRole("button", { name: "I have one in mind" }).waitFor();
  // Anything can stand in an address.
  for (const packed of [new URL(link).hash.slice(0, -9), "#game=", "#game=%00", `#game=${btoa('[1,"x",1,[["<img src=x onerror=alert(1)>","z"]]]')}`]) {
    await other.goto(here.url + packed);
    await other.getByText("This link holds no game").waitFor();
  }
  await other.goto(`${here.url}#game=${btoa('[1,"<b>x</b>",1,[["<img src=x onerror=alert(1)>","y"]]]')}`);
  await other.locator(".history .q", { hasText: "<img src=x onerror=alert(1)>" }).waitFor();
  assert.deepEqual([...page.faults, ...other.faults], []);
});

test("after a tap, nothing is filled on the next question", async () => {
  const page = await here.open({ viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
  await begin(page);
  const fill = () => page.locator(".answer.no").evaluate((button) => getComputedStyle(button).backgroundColor);
  const before = await fill();
  await page.locator(".answer.no").tap();
  await page.waitForFunction(() => document.querySelector(".card .count")?.textContent?.includes("2"));
  await page.waitForTimeout(300); // a filling would have faded in by now
  assert.equal(await fill(), before);
});

test("opened as a file, the page says what to do", async () => {
  const page = await (await here.context()).newPage();
  await page.goto(here.file);
  await page.getByText("serve its folder instead").waitFor({ state: "visible", timeout: 15_000 });
});
