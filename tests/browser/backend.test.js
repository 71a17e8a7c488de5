// What computes, and why: the badge says so, and a refused WebGPU is no dead page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, press, ready, site } from "./harness.js";

const here = site();

test("the badge names the backend, its measured speed and the reason", async () => {
  const page = await here.open();
  // The first two questions do not count: what computes is still warming up.
  await begin(page);
  await press(page, "n");
  assert.doesNotMatch(await page.locator("button.badge").innerText(), /tok/);
  await press(page, "n");
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
  const size = () => page.locator(".sheet").innerText().then((text) => /a file of ([\d.]+ [kM]B)/.exec(text)[1]);
  const before = await size();
  await page.getByRole("radio", { name: "WebGPU" }).click();
  // What was opened stays open, and tells of the other backend when it is there.
  await page.locator(".sheet .reason", { hasText: "WebGPU" }).waitFor();
  await ready(page);
  assert.match(await page.locator("button.badge").innerText(), /CPU/);
  const reason = await page.locator(".sheet .reason").innerText();
  assert.match(reason, /^Running on the CPU: .*WebGPU/);
  assert.equal(await size(), before, "the file is as it came, at its own precision");
  console.log(`  it says: ${reason}`);
  await page.keyboard.press("Escape");
  await page.locator(".sheet").waitFor({ state: "hidden" });
  await begin(page);
  assert.equal((await press(page, "n")).number, 2);
  assert.deepEqual(page.faults, []);
});

test("WebGPU chosen without a network: the CPU, which is kept, computes", async () => {
  const context = await here.context();
  // An adapter that promises more than there is, and a first visit on the CPU: the other module is not kept yet.
  await context.addInitScript(() => {
    const gpu = { requestAdapter: async () => ({ info: { description: "An adapter of the test" } }) };
    Object.defineProperty(Navigator.prototype, "gpu", { get: () => gpu, configurable: true });
    localStorage.getItem("archer.1.backend") ?? localStorage.setItem("archer.1.backend", '"cpu"');
  });
  const page = await here.open({ context });
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await context.setOffline(true);
  await page.reload();
  await ready(page);
  await page.locator("button.badge").click();
  await page.getByRole("radio", { name: "WebGPU" }).click();
  await page.locator(".sheet .reason", { hasText: "because WebGPU failed" }).waitFor();
  await page.keyboard.press("Escape");
  // And so it is after a reload, with the choice remembered.
  await page.reload();
  await ready(page);
  await begin(page);
  assert.equal((await press(page, "n")).number, 2);
});

test("nothing could be loaded: what computes can be chosen all the same, and the choice tries again", async () => {
  const context = await here.context({ serviceWorkers: "block" });
  await context.route("**/*.archer", (route) => route.abort());
  const page = await context.newPage();
  await page.goto(here.url);
  const alert = page.getByRole("alert");
  await alert.waitFor();
  assert.equal(await alert.getAttribute("data-code"), "network");
  await alert.getByRole("button", { name: "Try again" }).waitFor();
  await context.unroute("**/*.archer");
  await alert.getByRole("radio", { name: "CPU" }).click();
  await ready(page);
  assert.equal(await alert.count(), 0);
  await begin(page);
  assert.equal((await press(page, "n")).number, 2);
});

test("storage that throws when it is looked at stops nothing: the page plays", async () => {
  const context = await here.anywhere();
  await context.addInitScript(() => {
    for (const name of ["indexedDB", "localStorage", "sessionStorage"]) {
      const get = () => {
        throw new DOMException("The operation is insecure.", "SecurityError");
      };
      Object.defineProperty(window, name, { get, configurable: true });
    }
  });
  const page = await here.open({ context });
  await begin(page);
  assert.equal((await press(page, "n")).number, 2);
  assert.equal(await page.getByRole("alert").count(), 0);
  assert.deepEqual(page.faults, []);
});

test("a graphics adapter that never answers holds nothing up: the CPU computes", async () => {
  const context = await here.context();
  await context.addInitScript(() => {
    const gpu = { requestAdapter: () => new Promise(() => {}) };
    Object.defineProperty(Navigator.prototype, "gpu", { get: () => gpu, configurable: true });
  });
  const page = await here.open({ context });
  assert.match(await page.locator("button.badge").innerText(), /CPU/);
  await begin(page);
  assert.equal((await press(page, "n")).number, 2);
  assert.deepEqual(page.faults, []);
});
