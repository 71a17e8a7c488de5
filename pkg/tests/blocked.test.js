// The package in Chromium where something is missing, forbidden or broken: it works all the same where it can, and
// says in one sentence what the matter is where it cannot.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { browse, serve, visit } from "./lib/site.js";

let browser;
let site;

before(async () => {
  browser = await browse("none");
  site = await serve();
});

after(async () => {
  await browser?.close();
  site?.close();
});

/** Loads an agent in the page and lets it ask; the question, or what the error says. */
function asks(page, options = {}) {
  return page.evaluate(async (options) => {
    try {
      const agent = await window.archer.load(options);
      const { question } = await (await agent.play()).ask();
      return { question, reason: agent.backend.reason };
    } catch (error) {
      return { name: error.name, code: error.code, message: error.message, hint: error.hint };
    }
  }, options);
}

/** Visits a site that is served with these peculiarities, and lets the agent ask. */
async function asksAt(peculiar, options, before) {
  const odd = await serve(peculiar);
  try {
    const { page } = await visit(browser, odd.url, before);
    const told = await asks(page, options);
    await page.context().close();
    return told;
  } finally {
    odd.close();
  }
}

function says(told, code, message, hint) {
  assert.deepEqual([told.name, told.code], ["ArcherError", code], JSON.stringify(told));
  assert.match(told.message, message);
  assert.match(told.hint, hint);
  assert.doesNotMatch(told.message + told.hint, /bug in archer|fault of archer/);
}

for (const name of ["indexedDB", "localStorage", "locks"]) {
  test(`where ${name} throws when it is looked at, the agent plays, and only save is refused`, async () => {
    const { page } = await visit(browser, site.url, `(() => {
      const at = ${JSON.stringify(name)} === "locks" ? Navigator.prototype : window;
      Object.defineProperty(at, ${JSON.stringify(name)}, { get: () => { throw new DOMException("The operation is insecure.", "SecurityError"); } });
    })()`);
    assert.ok((await asks(page)).question.endsWith("?"));
    const seen = await page.evaluate(async () => {
      const can = await window.archer.capabilities();
      const agent = await window.archer.load({ backend: "cpu" });
      const tried = (act) => act().then(() => "done", ({ name, code }) => `${name} ${code}`);
      return { storage: can.storage, save: await tried(() => agent.save("mine")), saved: await tried(() => agent.saved()) };
    });
    const refused = "ArcherError storage";
    // Without locks and without the others' storage, a model can be kept all the same.
    const expected = name === "indexedDB" ? { storage: "none", save: refused, saved: refused } : { storage: "indexeddb", save: "done", saved: "done" };
    assert.deepEqual(seen, expected);
    await page.context().close();
  });
}

test("where the database refuses to open, and where locks are refused, save says so and nothing else stops", async () => {
  for (const before of [
    () => {
      IDBFactory.prototype.open = () => {
        throw new DOMException("The operation is insecure.", "SecurityError");
      };
    },
    () => {
      LockManager.prototype.request = () => Promise.reject(new DOMException("Access to the Locks API is denied.", "SecurityError"));
    },
  ]) {
    const { page } = await visit(browser, site.url, before);
    const told = await page.evaluate(async () => {
      const agent = await window.archer.load();
      const error = await agent.save("mine").catch((thrown) => thrown);
      return { question: (await (await agent.play()).ask()).question, name: error.name, code: error.code, message: error.message, hint: error.hint };
    });
    says(told, "storage", /^The browser's storage failed: .*(insecure|denied)\.$/, /Allow this site to keep data/);
    assert.ok(told.question.endsWith("?"));
    await page.context().close();
  }
});

test("an adapter request that is never answered holds nothing up, and the reason is told", async () => {
  const { page } = await visit(browser, site.url, () => {
    Object.defineProperty(navigator, "gpu", { value: { requestAdapter: () => new Promise(() => {}) } });
  });
  for (const backend of ["auto", "webgpu"]) {
    const { question, reason } = await asks(page, { backend });
    assert.ok(question.endsWith("?"));
    assert.match(reason, /^Running on the CPU: the browser did not name a graphics adapter within \d seconds\.$/);
  }
  assert.equal((await page.evaluate(() => window.archer.capabilities())).webgpu.available, false);
  await page.context().close();
});

test("an adapter that is none twice is asked for again after a pause; one that throws is refused", async () => {
  const { page } = await visit(browser, site.url);
  const told = await page.evaluate(async () => {
    const asked = [];
    let answer = async () => (asked.length > 2 ? { info: { vendor: "late" } } : null);
    Object.defineProperty(navigator, "gpu", { value: { requestAdapter: () => (asked.push(performance.now()), answer()) } });
    const late = (await window.archer.capabilities()).webgpu;
    answer = () => {
      throw new Error("no graphics today");
    };
    return { late, asked: asked.length, pause: asked[2] - asked[0], thrown: (await window.archer.capabilities()).webgpu.reason };
  });
  assert.deepEqual([told.late.adapter, told.asked], ["late", 3]);
  assert.ok(told.pause > 500, `${told.pause} ms`);
  assert.match(told.thrown, /^WebGPU was refused: no graphics today/);
  await page.context().close();
});

for (const thread of ["worker", "here"]) {
  test(`in ${thread}: a page instead of the program, a program that is missing, cut or no program`, async () => {
    const wasm = "/dist/archer-cpu_bg.wasm";
    const page = { type: "text/html", body: "<!doctype html><title>Home</title>" };
    says(await asksAt({ pages: { [wasm]: page } }, { thread }), "network", /archer-cpu_bg\.wasm is an HTML page/, /bundler/);
    says(await asksAt({ pages: { [wasm]: { ...page, type: "application/wasm" } } }, { thread }), "network", /is an HTML page/, /bundler/);
    says(await asksAt({ pages: { [wasm]: { status: 404, body: "none" } } }, { thread }), "network", /the server says 404\.$/, /bundler/);
    says(await asksAt({ pages: { [wasm]: { status: 503, body: "none" } } }, { thread }), "network", /the server says 503\.$/, /server/);
    says(await asksAt({ pages: { [wasm]: "" } }, { thread }), "network", /archer-cpu_bg\.wasm is empty\.$/, /bundler/);
    says(await asksAt({ pages: { [wasm]: "no program" } }, { thread }), "network", /archer-cpu_bg\.wasm is not a WebAssembly module/, /\.wasm/);
    // A server that calls it something else is no obstacle.
    const { readFile } = await import("node:fs/promises");
    const body = await readFile(new URL("../dist/archer-cpu_bg.wasm", import.meta.url));
    assert.ok((await asksAt({ pages: { [wasm]: { type: "text/plain", body } } }, { thread })).question.endsWith("?"));
  });
}

test("a page instead of the model, and a model that is missing", async () => {
  const model = "/dist/quickstart.archer";
  says(await asksAt({ pages: { [model]: { type: "text/html", body: "\n<html><body>Home" } } }), "network", /quickstart\.archer is an HTML page/, /bundler/);
  says(await asksAt({ pages: { [model]: { status: 404, body: "" } } }), "network", /quickstart\.archer could not be fetched: the server says 404/, /bundler/);
  says(await asksAt({ pages: { [model]: "something else" } }), "bad-model", /quickstart\.archer is not an archer model file/, /archer export/);
});

test("a worker that is missing, a page instead of it, or called by a wrong type", async () => {
  const script = "/dist/archer-worker.js";
  says(await asksAt({ pages: { [script]: { status: 404, body: "" } } }), "network", /archer-worker\.js the server says 404/, /thread: "here"/);
  says(await asksAt({ pages: { [script]: { type: "text/html", body: "<!doctype html>" } } }), "network", /is an HTML page/, /thread: "here"/);
  says(await asksAt({ pages: { [script]: { type: "text/plain", body: "1" } } }), "network", /says that .* is text\/plain/, /text\/javascript/);
  says(await asksAt({ pages: { [script]: { status: 404, body: "" } } }, { backend: "cpu" }), "network", /404/, /here/);
});

test("a worker that is handed in and is none, throws, or does not answer", async () => {
  const { page } = await visit(browser, site.url, () => {
    // Half a minute is not waited for here.
    const plain = window.setTimeout;
    window.setTimeout = (act, ms) => plain(act, ms === 30_000 && window.impatient ? 300 : ms);
  });
  const told = await page.evaluate(async () => {
    const other = () => new Worker(URL.createObjectURL(new Blob(["onmessage = () => {}"], { type: "text/javascript" })));
    const thrower = () => {
      throw new Error("no worker today");
    };
    const own = () => new Worker("dist/archer-worker.js", { type: "module" });
    const seen = [];
    for (const worker of [() => undefined, thrower, other, own]) {
      window.impatient = worker === other;
      seen.push(await window.archer.load({ worker }).then(() => ({ name: "plays" }), ({ name, code, message, hint }) => ({ name, code, message, hint })));
    }
    return seen;
  });
  says(told[0], "usage", /worker returned no Worker/, /archer-web\/worker/);
  says(told[1], "blocked", /no worker today/, /thread: "here"/);
  says(told[2], "usage", /has not answered for 30 seconds/, /archer-web\/worker/);
  assert.deepEqual(told[3], { name: "plays" });
  await page.context().close();
});

test("policies: what is forbidden is named, with what to allow", async () => {
  const policy = (text) => ({ headers: { "content-security-policy": text } });
  const self = "default-src 'self'; img-src 'self' data:";
  says(await asksAt(policy(self)), "blocked", /Content-Security-Policy forbids WebAssembly/, /'wasm-unsafe-eval'/);
  says(await asksAt(policy(self), { thread: "here" }), "blocked", /Content-Security-Policy forbids WebAssembly/, /'wasm-unsafe-eval'/);
  assert.ok((await asksAt(policy(`${self}; script-src 'self' 'wasm-unsafe-eval'`))).question);
  says(await asksAt(policy(`${self}; script-src 'self' 'wasm-unsafe-eval'; worker-src 'none'`)), "blocked", /\(worker-src\) forbids .*archer-worker\.js/, /worker-src.*thread: "here"/);
  says(await asksAt(policy(`${self}; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'`), { thread: "here" }), "blocked", /\(connect-src\) forbids .*quickstart\.archer/, /connect-src/);
  const types = `${self}; script-src 'self' 'wasm-unsafe-eval'; require-trusted-types-for 'script'`;
  assert.ok((await asksAt(policy(types))).question, "trusted types, when policies may be made");
  assert.ok((await asksAt(policy(`${types}; trusted-types archer-web`))).question);
  says(await asksAt(policy(`${types}; trusted-types 'none'`)), "blocked", /trusted types/, /Add archer-web to its trusted-types/);
});

test("a program as an address, a response, bytes or compiled; and never its bytes in a message", async () => {
  const { page } = await visit(browser, site.url);
  const told = await page.evaluate(async () => {
    const address = new URL("dist/archer-cpu_bg.wasm", location.href);
    const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
    const forms = {
      text: "dist/archer-cpu_bg.wasm",
      address,
      response: () => fetch(address),
      bytes,
      buffer: bytes.buffer,
      module: await WebAssembly.compile(bytes),
      read: async () => {
        const response = await fetch(address);
        await response.arrayBuffer();
        return response;
      },
      cut: bytes.slice(0, 1000),
      function: () => () => address,
    };
    const seen = {};
    for (const [name, form] of Object.entries(forms)) {
      for (const thread of ["worker", "here"]) {
        const cpu = typeof form === "function" ? await form() : form;
        const agent = await window.archer.load({ backend: "cpu", thread, wasm: { cpu } }).catch((error) => error);
        seen[`${name} ${thread}`] = agent instanceof Error ? `${agent.name} ${agent.code}: ${agent.message}` : "plays";
        if (!(agent instanceof Error)) await agent.dispose();
      }
    }
    return seen;
  });
  for (const [form, outcome] of Object.entries(told)) {
    if (/^(read|function)/.test(form)) assert.match(outcome, /^ArcherError usage: /, form);
    else if (/^cut/.test(form)) assert.match(outcome, /^ArcherError network: The program is not a WebAssembly module/, form);
    else assert.equal(outcome, "plays", form);
    assert.ok(outcome.length < 300, outcome);
  }
  await page.context().close();
});

test("the program and the model come at the same time, as one progress", async () => {
  const { page } = await visit(browser, site.url);
  const seen = await page.evaluate(async () => {
    const told = [];
    await window.archer.load({ backend: "cpu", onProgress: ({ stage, loaded, total }) => told.push([stage, loaded, total]) });
    return told;
  });
  const fetched = seen.filter(([stage]) => stage === "fetch");
  const { size } = { size: fetched.at(-1) };
  assert.equal(size[1], size[2]);
  assert.deepEqual(fetched.map(([, loaded]) => loaded), fetched.map(([, loaded]) => loaded).sort((a, b) => a - b), "it only grows");
  assert.deepEqual(seen.slice(fetched.length).map(([stage]) => stage), ["check"], "and is told before the rest");
  await page.context().close();
});

test("an evaluation stops as soon as its signal says so, and the agent plays on", async () => {
  const { page } = await visit(browser, site.url);
  const seen = await page.evaluate(async () => {
    const agent = await window.archer.load({ backend: "cpu" });
    const control = new AbortController();
    const begin = performance.now();
    const over = agent.evaluate({ games: 100_000, signal: control.signal }).then(() => "done", (error) => error.name);
    await agent.metrics();
    control.abort();
    const name = await over;
    const question = (await (await agent.play()).ask()).question;
    return { name, question, ms: performance.now() - begin };
  });
  assert.equal(seen.name, "AbortError");
  assert.ok(seen.question.endsWith("?"));
  assert.ok(seen.ms < 20_000, `${seen.ms} ms, where all the games take minutes`);
  await page.context().close();
});
