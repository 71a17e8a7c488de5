// Records the built page in headless Chromium as one moving picture, docs/images/page.webp: a game of Twenty
// Questions, then an agent that learns in "Make your own".
//
//   node scripts/picture.js [FILE]
//
// It wants pkg/dist and web/dist (make web) and img2webp (Debian's package webp). A frame is shown for a fixed time,
// however long the machine took for it, so a slow machine makes the same picture. The page's waits are left out:
// training, which takes half a minute, is told in seconds.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { serveFolder } from "./lib/serve-folder.js";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = process.argv[2] ?? join(root, "docs/images/page.webp");
const { chromium } = createRequire(join(root, "tests/browser/package.json"))("playwright-core");

const SIZE = { width: 960, height: 720 };
/** What the visitor thinks of: a thing whose facts nobody doubts. */
const THING = "piano";
/** Milliseconds that a frame is shown while something moves. */
const STEP = 150;
/** Milliseconds after which colours and bars have come to rest. */
const SETTLED = 300;
/** The most bytes that the file may have: what a reader of README.md waits for. */
const LIMIT = 1.5e6;
const NAMES = { yes: "Yes", no: "No", unknown: "Don’t know", sometimes: "Don’t know" };

/** What a person who thinks of the thing answers, by the world's own table: the page asks the same questions. */
async function answersFor(thing) {
  const { load } = await import("../pkg/dist/index.node.js");
  const { play } = await import("../pkg/dist/twenty-questions.node.js");
  const agent = await load();
  const game = await play(agent);
  const answers = new Map();
  while (game.state.status === "ask") {
    const { question } = await game.ask();
    const { expected } = (await game.reveal(thing)).turns.at(-1);
    answers.set(question, NAMES[expected]);
    await game.answer(expected);
  }
  await agent.dispose();
  if (game.state.found !== thing) throw new Error(`the agent does not find ${thing}: choose another thing`);
  return answers;
}

/** The frames of a page and how long each is shown. */
class Film {
  frames = [];
  pointer = { x: 0, y: 0 };

  constructor(page) {
    this.page = page;
  }

  /** A frame of the page as it is; one that looks like the last makes that one longer. */
  async frame(ms = STEP) {
    const png = await this.page.screenshot();
    const last = this.frames.at(-1);
    if (last?.png.equals(png)) last.ms += ms;
    else this.frames.push({ png, ms });
  }

  /** Waits until all of these are on the page and what fades in has done so, and gives time to read it. */
  async read(ms, ...locators) {
    for (const locator of locators) await locator.waitFor({ timeout: 60_000 });
    await this.page.waitForTimeout(SETTLED);
    await this.frame(ms);
  }

  async point(x, y, pressed = false) {
    this.pointer = { x, y };
    await this.page.mouse.move(x, y);
    await this.page.evaluate(drawPointer, { x, y, pressed });
    await this.page.waitForTimeout(SETTLED);
    await this.frame();
  }

  /** The pointer goes there, slower towards the end. */
  async moveTo(x, y) {
    const from = this.pointer;
    if (Math.hypot(x - from.x, y - from.y) < 4) return;
    for (const share of [0.5, 0.85, 1]) await this.point(from.x + (x - from.x) * share, from.y + (y - from.y) * share);
  }

  /** The pointer goes to an element and clicks it, as a hand does. */
  async click(locator) {
    const box = await locator.boundingBox();
    const at = [box.x + box.width * 0.72, box.y + box.height * 0.65];
    await this.moveTo(...at);
    await this.page.mouse.down();
    await this.point(...at, true);
    await this.page.mouse.up();
    await this.page.evaluate(drawPointer, this.pointer);
  }

  /** Brings an element's top to this height, in a few steps. */
  async scroll(locator, height) {
    const { y } = await locator.boundingBox();
    const steps = 4;
    for (let step = 0; step < steps; step += 1) {
      await this.page.evaluate((by) => scrollBy({ top: by, behavior: "instant" }), (y - height) / steps);
      await this.frame();
    }
  }
}

/** Draws what a picture of a page lacks: the pointer, smaller while it presses. */
function drawPointer({ x, y, pressed = false }) {
  const name = "http://www.w3.org/2000/svg";
  let arrow = document.getElementById("pointer-of-the-picture");
  if (!arrow) {
    arrow = document.createElementNS(name, "svg");
    arrow.id = "pointer-of-the-picture";
    arrow.setAttribute("viewBox", "0 0 24 24");
    const path = document.createElementNS(name, "path");
    path.setAttribute("d", "M3 2v17l4.4-4 2.9 6.6 3-1.3-2.9-6.5 6-.4z");
    path.setAttribute("fill", "#111");
    path.setAttribute("stroke", "#fff");
    path.setAttribute("stroke-width", "1.4");
    arrow.append(path);
    Object.assign(arrow.style, { position: "fixed", width: "26px", height: "26px", zIndex: "9999", pointerEvents: "none" });
    document.body.append(arrow);
  }
  Object.assign(arrow.style, { left: `${x - 3}px`, top: `${y - 2}px`, transformOrigin: "0 0", scale: pressed ? "0.8" : "1" });
}

/** A visitor thinks of the thing, and answers until it is found. */
async function game(film, answers) {
  const { page } = film;
  await film.point(SIZE.width * 0.56, SIZE.height * 0.62);
  await film.read(1200, page.getByRole("button", { name: "I have one in mind" }));
  await film.click(page.getByRole("button", { name: "I have one in mind" }));
  for (const [question, answer] of answers) {
    const asked = page.locator(".card .question:not(.writing)", { hasText: question });
    const judged = page.locator(".card tbody tr", { hasText: question });
    await film.read(750, asked, judged);
    await film.click(page.getByRole("button", { name: answer }).first());
  }
  await film.read(2000, page.locator(".card.end"));
}

/** An untrained agent learns the world that the page begins with. */
async function make(film) {
  const { page } = film;
  await film.click(page.getByRole("link", { name: "Make your own" }));
  await film.read(1300, page.locator(".cm-content"));
  await film.click(page.getByRole("button", { name: "Train", exact: true }));
  const iteration = page.getByTestId("made-iteration");
  await film.read(STEP, iteration);
  await film.moveTo(SIZE.width * 0.567, SIZE.height * 0.94);
  await film.scroll(page.getByRole("heading", { name: "Train", exact: true }), 104);
  const end = page.locator(".result strong");
  for (let last = ""; !(await end.isVisible()); await page.waitForTimeout(STEP)) {
    const now = (await iteration.textContent({ timeout: 1000 }).catch(() => last)) ?? "";
    if (now !== last) await film.frame(200);
    last = now;
  }
  await film.read(2800, end);
}

/** Writes the frames as one file, lossless, so that letters stay sharp. */
function write(frames) {
  const folder = mkdtempSync(join(tmpdir(), "picture-"));
  try {
    const list = frames.flatMap(({ png, ms }, index) => {
      const file = join(folder, `${String(index).padStart(4, "0")}.png`);
      writeFileSync(file, png);
      return ["-d", String(ms), file];
    });
    execFileSync("img2webp", ["-loop", "0", "-min_size", "-lossless", "-q", "60", "-m", "4", ...list, "-o", out]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (spawnSync("img2webp", ["-version"]).error) {
  console.error("picture: there is no img2webp here: install it (Debian: apt install webp), then run this again");
  process.exit(1);
}
const answers = await answersFor(THING);
const server = await serveFolder(join(root, "web/dist"));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"],
});
try {
  const page = await browser.newPage({ viewport: SIZE, colorScheme: "light", reducedMotion: "reduce" });
  await page.goto(server.url);
  await page.locator('button.badge[aria-busy="false"]').waitFor({ timeout: 60_000 });
  const film = new Film(page);
  await game(film, answers);
  await make(film);
  write(film.frames);
  const seconds = film.frames.reduce((sum, { ms }) => sum + ms, 0) / 1000;
  const { size } = statSync(out);
  console.log(`picture: ${relative(root, out)}: ${film.frames.length} frames, ${seconds.toFixed(1)} s, ${(size / 1000).toFixed(0)} kB`);
  if (size > LIMIT) throw new Error(`that is more than ${LIMIT / 1e6} MB`);
} finally {
  await browser.close();
  server.close();
}
