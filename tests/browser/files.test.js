// The agent as a file: out, in, and what is no agent.
import assert from "node:assert/strict";
import { test } from "node:test";
import { begin, exported, press, site } from "./harness.js";

const here = site();

const give = (page, name, buffer) =>
  page.getByLabel("Model file to import").setInputFiles({ name, mimeType: "application/octet-stream", buffer });

test("what is exported can be imported, and is the same agent", async () => {
  const page = await here.open({ hash: "#learn" });
  const { name, bytes } = await exported(page);
  assert.match(name, /\.archer$/);
  assert.ok(bytes.length > 1000, `${bytes.length} bytes`);
  await give(page, "mine.archer", bytes);
  await page.locator(".files", { hasText: "Loaded mine.archer" }).waitFor({ timeout: 30_000 });
  assert.ok((await exported(page)).bytes.equals(bytes), "a second export is the same, byte for byte");
  assert.deepEqual(page.faults, []);
});

test("a file that is no agent, and one that is damaged, give a clear error and change nothing", async () => {
  const page = await here.open({ hash: "#learn" });
  const { bytes } = await exported(page);
  const alert = page.getByRole("alert");
  await give(page, "holiday.jpg", Buffer.from("this is a picture of the sea"));
  await alert.waitFor();
  assert.equal(await alert.getAttribute("data-code"), "bad-model");
  assert.ok((await alert.innerText()).length > 40, await alert.innerText());
  // Sentences: each begins with a capital and ends.
  assert.match(await alert.innerText(), /^[A-Z][^]*[.!?] [A-Z][^]*[.!?]$/);
  const damaged = Buffer.from(bytes);
  damaged[Math.floor(damaged.length / 2)] ^= 0x40;
  await give(page, "damaged.archer", damaged);
  await page.waitForFunction(() => document.querySelector("[role=alert]")?.dataset.code === "bad-model");
  await give(page, "cut.archer", bytes.subarray(0, bytes.length - 100));
  await page.waitForFunction(() => document.querySelector("[role=alert]")?.dataset.code === "bad-model");
  assert.ok((await exported(page)).bytes.equals(bytes), "the agent is the same as before");
  await page.locator("header").getByRole("link", { name: "Play" }).click();
  await begin(page);
  assert.equal((await press(page, "n")).number, 2);
});

test("another agent in the middle of a game: the page says so, and it asks its own question", async () => {
  const page = await here.open({ hash: "#learn" });
  const { bytes } = await exported(page);
  await page.locator("header").getByRole("link", { name: "Play" }).click();
  await begin(page);
  await press(page, "n");
  const now = await press(page, "n");
  await page.locator("header").getByRole("link", { name: "Learn" }).click();
  await give(page, "another.archer", bytes);
  await page.locator(".files", { hasText: "Loaded another.archer" }).waitFor({ timeout: 30_000 });
  await page.locator("header").getByRole("link", { name: "Play" }).click();
  await page.getByText(`A different one has been asking since question ${now.number}.`).waitFor();
  assert.equal(await page.locator(".history li").count(), 2, "what was answered stays");
  assert.deepEqual(page.faults, []);
});
