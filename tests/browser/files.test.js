// The agent as a file: out, in, and what is no agent.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { begin, press, site } from "./harness.js";

const here = site();

async function exported(page) {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Export" }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

const give = (page, name, buffer) =>
  page.getByLabel("Model file to import").setInputFiles({ name, mimeType: "application/octet-stream", buffer });

test("what is exported can be imported, and is the same agent", async () => {
  const page = await here.open({ hash: "#learn" });
  const { name, bytes } = await exported(page);
  assert.match(name, /^archer-\d+\.archer$/);
  assert.ok(bytes.length > 1000, `${bytes.length} bytes`);
  await give(page, "mine.archer", bytes);
  await page.locator(".files", { hasText: "mine.archer plays now" }).waitFor({ timeout: 30_000 });
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
