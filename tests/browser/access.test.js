// For everybody: axe finds nothing in any view, in light and dark; a phone needs no sideways scrolling; a screen
// reader hears each question once; the keyboard reaches everything.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, position, press, site, startTraining, violations } from "./harness.js";

const here = site();
const to = (page, name) => page.locator("header").getByRole("link", { name }).click();

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing, ${colorScheme}`, async () => {
    const page = await here.open({ colorScheme, reducedMotion: "reduce" });
    assert.deepEqual(await violations(page), [], "the beginning");
    await begin(page);
    await press(page, "n");
    await press(page, "y");
    assert.deepEqual(await violations(page), [], "a game");
    await page.locator("button.badge").click();
    await page.getByRole("heading", { name: "Running on" }).waitFor();
    assert.deepEqual(await violations(page), [], "the badge");
    await page.keyboard.press("Escape");
    await page.getByLabel("You ask").check();
    await page.getByRole("button", { name: "Pick something" }).click();
    await page.getByLabel("Your question").fill("Is it alive?");
    await page.keyboard.press("Enter");
    await page.locator(".history li").waitFor();
    assert.deepEqual(await violations(page), [], "the other way round");
    await to(page, "Inside");
    await page.getByRole("button", { name: /Ask this instead/ }).first().waitFor({ timeout: 30_000 });
    assert.deepEqual(await violations(page), [], "Inside");
    await to(page, "Learn");
    await startTraining(page, { iterations: 1 });
    await page.getByRole("button", { name: "Discard" }).waitFor({ timeout: 240_000 });
    assert.deepEqual(await violations(page), [], "Learn");
  });
}

test("no view scrolls sideways on a phone, and what is pressed is large enough", async () => {
  for (const width of [390, 320]) {
    const page = await here.open({ viewport: { width, height: 780 }, hasTouch: true });
    const fits = async (where) => {
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${where} at ${width}: ${wide} pixels too wide`);
    };
    await fits("the beginning");
    await begin(page);
    await press(page, "n");
    await fits("a game");
    const heights = await page.locator(".answers button").evaluateAll((all) => all.map((one) => one.getBoundingClientRect().height));
    assert.ok(heights.every((height) => height >= 44), `${heights}`);
    await to(page, "Inside");
    await page.getByRole("button", { name: /Ask this instead/ }).first().waitFor({ timeout: 30_000 });
    await fits("Inside");
    await to(page, "Learn");
    await fits("Learn");
    await page.context().close();
  }
});

test("a screen reader hears each question once and whole", async () => {
  const page = await here.open();
  await page.evaluate(() => {
    window.heard = [];
    const region = document.querySelector('[role="status"][aria-live="polite"]');
    new MutationObserver(() => window.heard.push(region.textContent.trim())).observe(region, {
      childList: true,
      characterData: true,
      subtree: true,
    });
  });
  const first = await begin(page);
  const second = await press(page, "n");
  const heard = await page.evaluate(() => window.heard);
  assert.deepEqual(heard, [`Question 1. ${first.text}`, `Question 2. ${second.text}`]);
});

test("the keyboard opens every view, and the focus goes to its heading", async () => {
  const page = await here.open();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), "Skip to the content");
  for (const [name, heading] of [
    ["Inside", "What the critic thinks"],
    ["Learn", "Let it learn"],
    ["Play", "Twenty Questions"],
  ]) {
    await page.locator("header").getByRole("link", { name }).focus();
    await page.keyboard.press("Enter");
    await page.waitForFunction((text) => document.activeElement?.textContent === text, heading);
  }
  // Letters typed into a field are no answers.
  await begin(page);
  const now = await position(page);
  await page.getByLabel("You ask").check();
  await page.getByRole("button", { name: "Pick something" }).click();
  await page.getByLabel("Your question").pressSequentially("any day now");
  await page.getByLabel("It asks").check();
  assert.deepEqual(await position(page), now);
});
