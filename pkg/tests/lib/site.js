// The built package as plain static files, without any header of note, and Chromium to visit them with.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const EMPTY = '<!doctype html><title>archer-web</title><link rel="icon" href="data:,"><script type="module">import * as archer from "./dist/index.js"; window.archer = { ...archer, load: (options) => archer.load({ model: archer.models.quickstart, ...options }) };</script>';

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

export async function serve() {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    try {
      const body = pathname === "/" ? EMPTY : await readFile(join(DIST, pathname.replace(/^\/dist\//, "")));
      const type = TYPES[pathname === "/" ? ".html" : extname(pathname)] ?? "application/octet-stream";
      response.writeHead(200, { "content-type": type, "content-length": Buffer.byteLength(body), "cache-control": "max-age=600" });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  return { url: `http://localhost:${server.address().port}/`, close: () => server.close() };
}

/** Starts Chromium with a graphics adapter in `software`, the machine's own (`hardware`), or `none`. */
export function browse(graphics) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", ...GRAPHICS[graphics]] });
}

/** A page with the package in `window.archer`, where the small model is the default: with it a test takes seconds. */
export async function visit(browser, url) {
  const page = await (await browser.newContext()).newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  await page.goto(url);
  await page.waitForFunction(() => window.archer !== undefined);
  return { page, faults };
}
