// Two tabs: one owns what is kept, the other is a guest until it takes over or the first one closes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, position, press, site } from "./harness.js";

const here = site();
const notice = (page) => page.getByText("archer is open in another tab");
const kept = (page) => page.evaluate(() => localStorage.getItem("archer.1.asked"));

test("a second tab plays as a guest and writes nothing", async () => {
  const context = await here.context();
  const owner = await here.open({ context });
  await begin(owner);
  await press(owner, "n");
  const before = await kept(owner);
  const guest = await here.open({ context });
  await notice(guest).waitFor();
  assert.equal((await position(guest)).number, 2, "it begins with what the owner keeps");
  await press(guest, "d");
  await press(guest, "d");
  assert.equal(await kept(owner), before);
  assert.equal(await notice(owner).count(), 0);
});

test("the guest can take over; then the first tab is the guest", async () => {
  const context = await here.context();
  const first = await here.open({ context });
  await begin(first);
  const second = await here.open({ context });
  await press(first, "n");
  await press(first, "d");
  await second.getByRole("button", { name: "Use it in this tab" }).click();
  await notice(first).waitFor();
  await second.waitForFunction(() => document.querySelector(".card .count")?.textContent?.includes("3"));
  assert.equal(await notice(second).count(), 0);
  assert.equal((await position(second)).number, 3, "it goes on where the first tab was");
  const before = await kept(first);
  await press(first, "d");
  assert.equal(await kept(first), before, "the first tab writes no more");
  await press(second, "d");
  assert.notEqual(await kept(first), before);
});

test("when the owner closes, the guest inherits", async () => {
  const context = await here.context();
  const owner = await here.open({ context });
  const guest = await here.open({ context });
  await notice(guest).waitFor();
  await begin(guest);
  const now = await press(guest, "n");
  await owner.close();
  await notice(guest).waitFor({ state: "detached" });
  assert.deepEqual(await position(guest), now, "the guest's own game goes on");
  const before = await kept(guest);
  await press(guest, "n");
  assert.notEqual(await kept(guest), before);
});

test("who takes over goes on with a fine-tune, and the first tab lets go of it", async () => {
  const context = await here.context();
  const first = await here.open({ context, hash: "#learn" });
  await first.getByLabel("Iterations").fill("40");
  await first.getByLabel("Games an iteration").selectOption("16");
  await first.getByRole("button", { name: "Start learning" }).click();
  const second = await here.open({ context, hash: "#learn" });
  // The guest learns something of its own, which must not get into what is kept.
  await second.getByRole("button", { name: "Discard it" }).click();
  await second.getByRole("button", { name: "Start learning" }).click();
  await first.waitForFunction(() => Number(document.querySelector('[data-testid="iteration"]')?.textContent) >= 2, undefined, {
    timeout: 240_000,
  });
  await second.getByRole("button", { name: "Use it in this tab" }).click();
  await notice(first).waitFor();
  await first.getByRole("alert").filter({ hasText: "Another tab has taken over" }).waitFor();
  await first.getByRole("button", { name: "Start learning" }).waitFor();
  await second.getByText("A fine-tune was interrupted").waitFor();
  const log = () => second.evaluate(() => JSON.parse(localStorage.getItem("archer.1.learning")));
  const { points } = await log();
  assert.ok(points.length >= 2, `${points.length} points`);
  await second.waitForTimeout(3000);
  assert.deepEqual((await log()).points, points, "nobody writes on in it");
  await second.getByRole("button", { name: "Go on" }).click();
  await second.getByTestId("iteration").waitFor({ timeout: 240_000 });
  assert.ok(Number(await second.getByTestId("iteration").innerText()) >= 1, "it goes on from what was saved");
  assert.deepEqual([...first.faults, ...second.faults], []);
});

test("where the browser refuses its locks, the page works as where there are none", async () => {
  const context = await here.context();
  await context.addInitScript(() => {
    window.asked = 0;
    LockManager.prototype.request = () => {
      window.asked += 1;
      return Promise.reject(new DOMException("refused by the test", "SecurityError"));
    };
  });
  const page = await here.open({ context });
  await begin(page);
  assert.equal((await press(page, "n")).number, 2);
  assert.ok((await page.evaluate(() => window.asked)) < 20, "it does not ask for ever");
  assert.equal(await notice(page).count(), 0);
});
