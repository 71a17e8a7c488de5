// Two tabs: one owns what is kept, the other is a guest until it takes over or the first one closes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, position, press, ready, site, startTraining } from "./harness.js";

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
  await second.getByRole("button", { name: "Use this tab instead" }).click();
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
  await startTraining(first, { iterations: 40 });
  const done = (page) => page.waitForFunction(() => Number(document.querySelector('[data-testid="iteration"]')?.textContent) >= 2, undefined, { timeout: 240_000 });
  await done(first);
  const second = await here.open({ context, hash: "#learn" });
  // The guest is told of it, and is offered neither to resume nor to discard what is not its own.
  await second.getByText(/Another tab is training: \d+ of 40 iterations done/).waitFor();
  assert.equal(await second.getByRole("button", { name: "Resume" }).count(), 0);
  assert.equal(await second.getByRole("button", { name: "Discard" }).count(), 0);
  await second.reload();
  await ready(second);
  await second.getByText(/Another tab is training: \d+ of 40 iterations done/).waitFor();
  assert.equal(await second.getByText("was interrupted").count(), 0, "nor after a reload");
  // What it learns of its own must not get into what is kept.
  await startTraining(second, { iterations: 40 });
  await second.getByRole("button", { name: "Use this tab instead" }).click();
  await notice(first).waitFor();
  await first.getByRole("alert").filter({ hasText: "Another tab has taken over" }).waitFor();
  await first.getByRole("button", { name: "Start training" }).waitFor();
  await second.getByText("Training was interrupted").waitFor();
  const log = () => second.evaluate(() => JSON.parse(localStorage.getItem("archer.1.learning")));
  const { points, saved } = await log();
  assert.ok(points.length >= 2 && saved >= 1, `${points.length} points, ${saved} saved`);
  await second.waitForTimeout(3000);
  assert.deepEqual((await log()).points, points, "nobody writes on in it");
  await second.getByRole("button", { name: "Resume" }).click();
  await second.getByTestId("iteration").waitFor({ timeout: 240_000 });
  assert.ok(Number(await second.getByTestId("iteration").innerText()) >= 1, "it goes on from what was saved");
  // All that was asked for is still to be done, however much must be done again.
  await second.getByText(/of 40/).first().waitFor();
  assert.equal((await log()).settings.iterations, 40);
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
