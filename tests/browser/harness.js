// The built page, served as plain static files without special headers, and Chromium to visit it with.
import { readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { after, before } from "node:test";
import { chromium } from "playwright-core";

const DIST = fileURLToPath(new URL("../../web/dist/", import.meta.url));
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const ARGUMENTS = [
  "--headless=new",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};

/** Serves the page under a folder, as a project site does; `asked` lists what was fetched. */
async function serve() {
  const asked = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    asked.push(pathname);
    try {
      if (!pathname.startsWith("/demo/")) throw new Error("outside");
      const path = pathname.slice("/demo/".length) || "index.html";
      const body = await readFile(join(DIST, path));
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://127.0.0.1:${server.address().port}/demo/`, asked, close: () => server.close() };
}

/** Registers a browser and a server for the tests of a file. `open` gives a page in a context of its own. */
export function site() {
  const here = { browser: null, url: "", asked: [], file: pathToFileURL(join(DIST, "index.html")).href };
  let server;
  before(async () => {
    await stat(join(DIST, "index.html")).catch(() => {
      throw new Error("web/dist is missing: build the page first (npm run build in web/)");
    });
    server = await serve();
    here.url = server.url;
    here.asked = server.asked;
    here.browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  });
  after(async () => {
    await here.browser?.close();
    server?.close();
  });
  here.anywhere = (options = {}) => here.browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
  /** Where the agent of ten things plays, unless the test chooses another: with it a test takes seconds. */
  here.context = async (options = {}) => {
    const context = await here.anywhere(options);
    await context.addInitScript(() => {
      if (self !== top) return; // a frame without an origin has no storage
      localStorage.getItem("archer.1.supplied") ?? localStorage.setItem("archer.1.supplied", '"10"');
    });
    return context;
  };
  /** A page that is ready to play; complaints of the page fail the test that looks at `faults`. */
  here.open = async ({ context, hash = "", ...options } = {}) => {
    const page = await (context ?? (await here.context(options))).newPage();
    page.faults = [];
    page.on("pageerror", (error) => page.faults.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") page.faults.push(message.text());
    });
    await page.goto(here.url + hash);
    await ready(page);
    return page;
  };
  return here;
}

/** Waits until the agent is there. */
export async function ready(page) {
  await page.locator('button.badge[aria-busy="false"]').waitFor({ timeout: 60_000 });
}

/** What the page says of the game: its number and question, once it waits for an answer; or how it ended. */
export async function position(page) {
  const handle = await page.waitForFunction(
    () => {
      const end = document.querySelector(".card.end .question");
      if (end) return { over: true, text: end.textContent };
      const question = document.querySelector(".card .question:not(.writing)");
      const number = document.querySelector(".card .count")?.textContent?.match(/\d+/)?.[0];
      if (!question || !number) return null;
      const guess = document.querySelector(".card .tag") !== null;
      return { over: false, number: Number(number), text: question.textContent, guess };
    },
    undefined,
    { timeout: 30_000 },
  );
  return handle.jsonValue();
}

/** Presses a key and waits until the game has moved on. */
export async function press(page, key) {
  const was = JSON.stringify(await position(page));
  await page.keyboard.press(key);
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const now = await position(page);
    if (JSON.stringify(now) !== was) return now;
    await page.waitForTimeout(10);
  }
  throw new Error(`the page did not react to ${key} at ${was}`);
}

/** Begins a game and waits for the first question. */
export async function begin(page) {
  await page.getByRole("button", { name: "I have one in mind" }).focus();
  await page.keyboard.press("Enter");
  return position(page);
}

/** Begins a training in the view Learn: more of the same where nothing else is wanted. */
export async function startTraining(page, { iterations, seed = 1, games = "16", lesson = "Nothing new, just practice" }) {
  await page.getByLabel(lesson).check();
  await page.getByLabel("Iterations").fill(String(iterations));
  await page.locator(".controls details").evaluate((details) => (details.open = true));
  await page.getByLabel("Seed", { exact: true }).fill(String(seed));
  await page.getByLabel("Games per iteration").selectOption(games);
  await page.getByRole("button", { name: "Start training" }).click();
}

/** The agent as the page gives it away, from the view Learn. */
export async function exported(page) {
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Export" }).click(),
  ]);
  return { name: download.suggestedFilename(), bytes: await readFile(await download.path()) };
}

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds wrong with the page as it is. */
export async function violations(page) {
  await page.evaluate(axe); // through the debugger: the page's own policy allows no foreign script
  const found = await page.evaluate(() =>
    window.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
  );
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
}
