// The built package as plain static files, without any header of note, and Chromium to visit them with.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const PAGES = {
  "/": '<!doctype html><title>archer-web</title><link rel="icon" href="data:,"><script type="module" src="main.js"></script>',
  "/main.js": `import * as archer from "./dist/index.js";
    import * as games from "./dist/twenty-questions.js";
    window.archer = { ...archer, ...games, load: (options) => archer.load({ model: archer.models.quickstart, world: games.worldOf, ...options }) };`,
};

/** Chromium's own switches for the software adapter, for the machine's own by Vulkan and without a screen, or for none. */
const GRAPHICS = {
  software: [
    "--enable-unsafe-webgpu",
    "--enable-features=Vulkan,WebGPU",
    "--use-webgpu-adapter=swiftshader",
    "--use-vulkan=swiftshader",
    "--enable-unsafe-swiftshader",
  ],
  hardware: ["--enable-unsafe-webgpu", "--enable-features=Vulkan", "--use-angle=vulkan", "--disable-vulkan-surface"],
  none: ["--disable-gpu"],
};

/**
 * Serves the package, and a page that has it in `window.archer` with the games. `headers` go with every answer, `pages` are served
 * besides or instead: a text, or `{ status, type, body }`.
 */
export async function serve({ headers = {}, pages = {} } = {}) {
  const own = { ...PAGES, ...pages };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    try {
      const page = own[pathname];
      const { status = 200, type, body } = typeof page === "string" ? { body: page } : (page ?? { body: await readFile(join(DIST, pathname.replace(/^\/dist\//, ""))) });
      const known = TYPES[pathname.endsWith("/") ? ".html" : extname(pathname)] ?? "application/octet-stream";
      response.writeHead(status, { "content-type": type ?? known, "content-length": Buffer.byteLength(body), "cache-control": "max-age=600", ...headers });
      response.end(body);
    } catch {
      response.writeHead(404, headers).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://localhost:${server.address().port}/`, close: () => server.close() };
}

/** Starts Chromium with a graphics adapter in `software`, the machine's own (`hardware`), or `none`. */
export function browse(graphics, ...more) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", ...GRAPHICS[graphics], ...more] });
}

/**
 * A page with the package and the games in `window.archer`, where the small model is the default: with it a test takes seconds.
 * `before` runs in the page before anything else does.
 */
export async function visit(browser, url, before = () => {}) {
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(before);
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  await page.goto(url);
  await page.waitForFunction(() => window.archer !== undefined);
  return { page, faults };
}
