// Large model files in Chromium: kept in the origin's private file system, gone on with after a cut, checked before they are trusted.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { padded, serveFile } from "./lib/files.js";
import { browse, serve, visit } from "./lib/site.js";

const small = new Uint8Array(await readFile(new URL("../../tests/wasm/language.archer", import.meta.url)));
const large = padded(small, 24e6);
let site;
let browser;
const open = [];

before(async () => {
  site = await serve({
    pages: { "/frame.html": { body: `<!doctype html><iframe sandbox="allow-scripts" src="/"></iframe>` } },
    headers: { "access-control-allow-origin": "*" },
  });
  browser = await browse("none");
});

after(async () => {
  await browser?.close();
  site?.close();
  open.forEach((file) => file.close());
});

const serveLarge = async (given) => {
  const file = await serveFile({ bytes: large, ...given });
  open.push(file);
  return file;
};

/** Loads the model of an address in the page, says something, and tells what is kept then. */
const loaded = (page, model, more = {}) =>
  page.evaluate(
    async ([address, options]) => {
      const told = [];
      const onProgress = ({ stage, loaded: bytes, total }) => stage === "fetch" && told.push([bytes, total]);
      const agent = await window.archer.load({ model: address, backend: "cpu", onProgress, ...options });
      const { text } = await agent.start({ opening: "Digit:\n" }).say();
      await agent.dispose();
      return { text, told, kept: await window.archer.keptModels() };
    },
    [model, more],
  );

/** Another visit with what the ones before kept. */
async function again(page) {
  await page.reload();
  await page.waitForFunction(() => window.archer !== undefined);
}

test("the second visit fetches one byte, and none without a connection", async () => {
  const file = await serveLarge();
  const { page, faults } = await visit(browser, site.url);
  const first = await loaded(page, file.url);
  assert.deepEqual(first.kept.map(({ address, bytes, arrived }) => [address, bytes, arrived]), [[file.url, large.length, large.length]]);
  await again(page);
  const asked = file.asked.length;
  const second = await loaded(page, file.url);
  assert.equal(second.text, first.text);
  assert.deepEqual(file.asked.slice(asked).map(({ range, sent }) => [range, sent]), [[`bytes=${large.length - 1}-`, 1]]);
  assert.equal(second.told.at(-1)[0], second.told.at(-1)[1]);
  assert.deepEqual(faults, []);
  file.close();
  await again(page);
  assert.equal((await loaded(page, file.url)).text, first.text);
  await page.evaluate((address) => window.archer.forgetModel(address), file.url);
  assert.deepEqual(await page.evaluate(() => window.archer.keptModels()), []);
  await page.context().close();
});

test("of a server that shows a page nothing but the date and the length, one byte is fetched, too", async () => {
  const file = await serveLarge({ modified: "Mon, 01 Jan 2024 00:00:00 GMT", headers: { "access-control-expose-headers": "" } });
  const { page } = await visit(browser, site.url);
  await loaded(page, file.url);
  await again(page);
  const asked = file.asked.length;
  const { kept } = await loaded(page, file.url);
  assert.deepEqual(file.asked.slice(asked).map(({ range, sent }) => [range, sent]), [[`bytes=${large.length - 1}-`, 1]]);
  assert.deepEqual(kept.map(({ arrived }) => arrived), [large.length]);
  file.bytes = padded(small, 25e6, 3);
  await again(page);
  assert.deepEqual((await loaded(page, file.url)).kept.map(({ bytes, arrived }) => [bytes, arrived]), [[25e6, 25e6]]);
  await page.context().close();
});

test("a file that is forgotten while it is fetched is fetched again, or fails by an error of the package", async () => {
  const file = await serveLarge({ slow: 20 });
  const { page } = await visit(browser, site.url);
  const told = await page.evaluate(async (address) => {
    let forgotten = null;
    const onProgress = ({ loaded }) => {
      if (loaded > 10e6) forgotten ??= window.archer.forgetModel(address).then(() => "forgotten", (error) => error.code);
    };
    const size = await window.archer.fetchModel(address, { onProgress }).then((blob) => blob.size, (error) => String(error));
    return { size, forgotten: await forgotten };
  }, file.url);
  assert.equal(told.size, large.length);
  assert.ok(["forgotten", "storage"].includes(told.forgotten), told.forgotten);
  await page.context().close();
});

test("a visit that was cut off goes on where it stood, and one that was given up too", async () => {
  const file = await serveLarge({ slow: 20 });
  const { page } = await visit(browser, site.url);
  await page.evaluate((address) => void window.archer.load({ model: address, onProgress: ({ loaded }) => (window.seen = loaded) }), file.url);
  await page.waitForFunction(() => window.seen > 13e6);
  await again(page);
  const [cut] = await page.evaluate(() => window.archer.keptModels());
  assert.ok(cut.arrived >= 8 * 2 ** 20 && cut.arrived < large.length, `${cut.arrived} bytes arrived`);
  const given = await page.evaluate(async (address) => {
    const control = new AbortController();
    const onProgress = ({ loaded, total }) => total > 20e6 && loaded > 18e6 && control.abort(new Error("enough"));
    const why = await window.archer.fetchModel(address, { signal: control.signal, onProgress }).catch((error) => error.message);
    return { why, kept: await window.archer.keptModels() };
  }, file.url);
  assert.equal(given.why, "enough");
  assert.ok(given.kept[0].arrived > 18e6, "what came before it was given up is kept to the byte");
  file.slow = 0;
  assert.equal(typeof (await loaded(page, file.url)).text, "string");
  assert.deepEqual(
    file.asked.map(({ range }) => range),
    [null, `bytes=${cut.arrived}-`, `bytes=${given.kept[0].arrived}-`],
  );
  await page.context().close();
});

test("another file at the address takes the place of what is kept, whole or in part", async () => {
  const other = padded(small, 25e6, 3);
  for (const dieAfter of [Infinity, 13e6]) {
    const file = await serveLarge();
    const { page } = await visit(browser, site.url);
    if (dieAfter === Infinity) await loaded(page, file.url);
    else {
      file.slow = 20;
      await page.evaluate((address) => void window.archer.load({ model: address, onProgress: ({ loaded }) => (window.seen = loaded) }), file.url);
      await page.waitForFunction(() => window.seen > 13e6);
      await again(page);
    }
    Object.assign(file, { bytes: other, etag: '"2"', slow: 0 });
    const { kept } = await loaded(page, file.url);
    assert.deepEqual(kept.map(({ bytes, arrived }) => [bytes, arrived]), [[25e6, 25e6]]);
    await page.context().close();
  }
});

test("what was damaged in the browser is fetched again; what the server has damaged is refused", async () => {
  const file = await serveLarge();
  const { page } = await visit(browser, site.url);
  await loaded(page, file.url);
  await page.evaluate(async () => {
    const models = await (await (await navigator.storage.getDirectory()).getDirectoryHandle("archer-web")).getDirectoryHandle("models");
    for await (const folder of models.values()) {
      const stream = await (await folder.getFileHandle("1")).createWritable({ keepExistingData: true });
      await stream.write({ type: "write", position: 1000, data: new Uint8Array([1, 2, 3]) });
      await stream.close();
    }
  });
  await again(page);
  assert.equal(typeof (await loaded(page, file.url)).text, "string");
  assert.deepEqual(file.asked.slice(-2).map(({ range }) => range), [`bytes=${large.length - 1}-`, null]);
  const altered = Buffer.from(large);
  altered[20e6] ^= 1;
  const bad = await serveLarge({ bytes: altered });
  const told = await page.evaluate(async (address) => {
    const code = await window.archer.load({ model: address }).catch((error) => error.code);
    return { code, kept: (await window.archer.keptModels()).map((one) => one.address) };
  }, bad.url);
  assert.deepEqual(told, { code: "bad-model", kept: [file.url] });
  await page.context().close();
});

test("small files are never kept, and large ones are not where nobody wants it", async () => {
  const file = await serveLarge();
  const { page } = await visit(browser, site.url);
  assert.deepEqual((await loaded(page, file.url, { keep: false })).kept, []);
  file.bytes = Buffer.from(small);
  assert.deepEqual((await loaded(page, file.url)).kept, []);
  await page.context().close();
});

test("a browser without room keeps nothing and loads all the same, before the fetch and in the middle of it", async () => {
  const file = await serveLarge();
  const { page } = await visit(browser, site.url);
  await page.evaluate(() => {
    navigator.storage.estimate = async () => ({ quota: 30e6, usage: 1e6 });
  });
  assert.deepEqual((await loaded(page, file.url)).kept, []);
  await page.evaluate(() => {
    navigator.storage.estimate = async () => ({ quota: 300e6, usage: 1e6 });
    let left = 3;
    const { write } = FileSystemWritableFileStream.prototype;
    FileSystemWritableFileStream.prototype.write = function (...given) {
      if (left-- > 0) return write.apply(this, given);
      return Promise.reject(new DOMException("full", "QuotaExceededError"));
    };
  });
  const told = await loaded(page, file.url);
  assert.equal(typeof told.text, "string");
  assert.deepEqual(told.kept, []);
  await page.context().close();
});

test("a frame without an origin, and a browser without that file system, load it and keep nothing", async () => {
  const file = await serveLarge({ dieAfter: 15e6 });
  const page = await (await browser.newContext()).newPage();
  await page.goto(new URL("/frame.html", site.url).href);
  const frame = page.frames()[1];
  await frame.waitForFunction(() => window.archer !== undefined);
  const inFrame = await loaded(frame, file.url, { wasm: {} });
  assert.deepEqual([typeof inFrame.text, inFrame.kept], ["string", []]);
  await page.context().close();
  const { page: old } = await visit(browser, site.url, () => {
    delete FileSystemFileHandle.prototype.createWritable;
  });
  assert.deepEqual((await loaded(old, file.url)).kept, []);
  await old.context().close();
});

test("two tabs that load the same file at once both get it whole", async () => {
  const file = await serveLarge();
  const { page } = await visit(browser, site.url);
  const other = await page.context().newPage();
  await other.goto(site.url);
  await other.waitForFunction(() => window.archer !== undefined);
  const [one, two] = await Promise.all([loaded(page, file.url), loaded(other, file.url)]);
  assert.equal(one.text, two.text);
  assert.equal((await page.evaluate(() => window.archer.keptModels()))[0].arrived, large.length);
  await page.context().close();
});

test("a large file that was chosen is read where it is computed, and one that is gone is said to be", async () => {
  const { page } = await visit(browser, site.url);
  const told = await page.evaluate(
    async ([address, gone]) => {
      const blob = await window.archer.fetchModel(address);
      const agent = await window.archer.load({ model: blob, backend: "cpu" });
      const { text } = await agent.start({ opening: "Digit:\n" }).say();
      const again = await agent.import(blob);
      await agent.dispose();
      if (gone) await window.archer.forgetModel();
      const lost = await window.archer.load({ model: blob, backend: "cpu" }).catch((error) => [error.code, error.message]);
      return { text, world: again.world, lost };
    },
    [(await serveLarge()).url, true],
  );
  assert.deepEqual([typeof told.text, told.world, told.lost[0]], ["string", "bandit", "bad-model"]);
  assert.match(told.lost[1], /changed or removed/);
  await page.context().close();
});
