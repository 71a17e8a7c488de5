// What computes, and why: the badge says so, and a refused WebGPU is no dead page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, press, ready, site } from "./harness.js";

const here = site();

test("the badge names the backend, its measured speed and the reason", async () => {
  const page = await here.open();
  await begin(page);
  await page.locator("button.badge", { hasText: /CPU\s*\d+ tok\/s/ }).waitFor();
  await page.locator("button.badge").click();
  assert.ok((await page.locator(".sheet .reason").innerText()).length > 20);
});

test("WebGPU refused: the CPU takes over and says why", async () => {
  const context = await here.context();
  await context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined, configurable: true });
  });
  const page = await here.open({ context });
  await page.locator("button.badge").click();
  await page.getByRole("radio", { name: "WebGPU" }).click();
  await ready(page);
  await page.locator("button.badge").click();
  assert.match(await page.locator("button.badge").innerText(), /CPU/);
  const reason = await page.locator(".sheet .reason").innerText();
  assert.match(reason, /WebGPU/);
  console.log(`  it says: ${reason}`);
  await page.keyboard.press("Escape");
  await begin(page);
  assert.equal((await press(page, "n")).number, 2);
  assert.deepEqual(page.faults, []);
});
