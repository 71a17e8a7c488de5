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
