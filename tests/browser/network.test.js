// Nothing leaves: no request after loading, none to anywhere else ever, and it works without a network.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";
import { begin, position, press, ready, site, startTraining } from "./harness.js";

const here = site();

/** Waits until the service worker has kept every file. */
const installed = (page) => page.evaluate(() => navigator.serviceWorker.ready.then(() => true));

test("after loading, playing, looking inside and learning ask for nothing", async () => {
  const context = await here.context();
  const foreign = [];
  context.on("request", (request) => {
    if (!request.url().startsWith(here.url) && !request.url().startsWith("blob:")) foreign.push(request.url());
  });
  const page = await here.open({ context, hash: "#learn" });
  await installed(page);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  const loaded = here.asked.length;
  await startTraining(page, { iterations: 1 });
  await page.getByRole("button", { name: "Discard" }).waitFor({ timeout: 240_000 });
  await page.locator("header").getByRole("link", { name: "Play" }).click();
  await begin(page);
  await press(page, "n");
  await page.locator("header").getByRole("link", { name: "Inside" }).click();
  await page.getByRole("button", { name: /Ask this instead/ }).first().waitFor({ timeout: 30_000 });
  assert.deepEqual(here.asked.slice(loaded), []);
  assert.deepEqual(foreign, []);
  assert.deepEqual(page.faults, []);
});

test("neither the page nor its worker can reach another address", async () => {
  const heard = [];
  const other = createServer((request, response) => {
    heard.push(request.url);
    response.writeHead(200, { "access-control-allow-origin": "*" }).end("heard");
  });
  await new Promise((done) => other.listen(0, "127.0.0.1", done));
  const address = `http://127.0.0.1:${other.address().port}/leak`;
  try {
    const page = await here.open({ context: await here.context({ serviceWorkers: "block" }) });
    const leak = (url) =>
      fetch(url).then(
        () => "reached",
        (error) => error.name,
      );
    assert.equal(await page.evaluate(leak, address), "TypeError");
    const [worker] = page.workers();
    assert.ok(worker, "there is a worker that computes");
    assert.equal(await worker.evaluate(leak, address), "TypeError");
    const image = await page.evaluate(
      (url) =>
        new Promise((done) => {
          const picture = new Image();
          picture.onload = () => done("reached");
          picture.onerror = () => done("refused");
          picture.src = url;
        }),
      address,
    );
    assert.equal(image, "refused");
    assert.deepEqual(heard, []);
  } finally {
    other.close();
  }
});

test("offline after the first visit", async () => {
  const context = await here.context();
  const page = await here.open({ context });
  await installed(page);
  await context.setOffline(true);
  const asked = here.asked.length;
  await page.reload();
  await ready(page);
  await begin(page);
  assert.equal((await press(page, "n")).number, 2);
  await page.goto(`${here.url}?again#play`);
  await ready(page);
  assert.equal((await position(page)).number, 2);
  // The browser itself looks for a newer service worker, offline or not.
  assert.deepEqual(here.asked.slice(asked).filter((path) => path !== "/demo/sw.js"), []);
});

test("a first visit fetches no file twice", async () => {
  const context = await here.context();
  const before = here.asked.length;
  const page = await here.open({ context });
  await installed(page);
  const asked = here.asked.slice(before).filter((path) => /\/assets\//.test(path));
  assert.ok(asked.length > 5, `${asked.length} files`);
  const twice = asked.filter((path, n) => asked.indexOf(path) !== n);
  assert.deepEqual(twice, []);
});
