// What an agent of each size costs: `make bench-sizes`.
//
// Each size is made from nothing for the playground's locked door, learns for some iterations with the package's
// defaults, and talks, in a Node process of its own on one thread. Told are the size of its file, the time of an
// iteration, utterances a second in one conversation, and the process's highest memory less that of a process that
// only imports the package.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { fileURLToPath } from "node:url";

const SIZES = ["tiny", "small", "medium"];
const ITERATIONS = 10;
const GAMES = 50;
const TURNS = 8;

if (process.argv[2]) await tell(process.argv[2]);
else compare();

function compare() {
  const base = run("nothing").memory;
  console.log(`${cpus().length} cores (${cpus()[0].model}), load ${loadavg()[0].toFixed(1)}; Node ${process.versions.node}\n`);
  console.log("| size | parameters | file | an iteration | utterances/s | memory |\n|---|---|---|---|---|---|");
  for (const size of SIZES) {
    const { parameters, bytes, iteration, utterances, memory } = run(size);
    const cells = [size, `${Math.round(parameters / 1000)} thousand`, `${Math.round(bytes / 1000)} kB`, `${iteration.toFixed(2)} s`, utterances.toFixed(0), `${Math.round(memory - base)} MB`];
    console.log(`| ${cells.join(" | ")} |`);
  }
}

function run(size) {
  return JSON.parse(execFileSync(process.execPath, [fileURLToPath(import.meta.url), size], { encoding: "utf8" }));
}

async function tell(size) {
  const told = SIZES.includes(size) ? await measured(size) : void (await import("../../../pkg/dist/index.node.js"));
  console.log(JSON.stringify({ ...told, memory: process.resourceUsage().maxRSS / 1000 }));
}

async function measured(size) {
  const { create, defineWorld } = await import("../../../pkg/dist/index.node.js");
  const code = readFileSync(new URL("../../../web/src/make/worlds/door.js", import.meta.url), "utf8");
  const world = new Function("defineWorld", code.replace("export default", "return"))(defineWorld);
  const agent = await create({ world, size, seed: 1 });
  const times = [];
  let began = performance.now();
  for await (const _ of agent.fineTune({ world, iterations: ITERATIONS })) {
    times.push(performance.now() - began);
    began = performance.now();
  }
  agent.keep();
  const utterances = await conversations(agent, world);
  const { actor, critic } = agent.info.parameters;
  const { byteLength } = await agent.export({ training: false });
  return { parameters: actor + critic, bytes: byteLength, iteration: times.sort((a, b) => a - b)[ITERATIONS / 2] / 1000, utterances };
}

/** Utterances in a second, each the likeliest of the door's choices. */
async function conversations(agent, world) {
  const began = performance.now();
  for (let seed = 1; seed <= GAMES; seed++) {
    const { text: opening, choices } = world.start({ seed, task: null });
    const talk = agent.start({ opening, choices });
    for (let turn = 1; turn <= TURNS; turn++) {
      await talk.say({ score: false });
      talk.hear("Nothing happens.", { choices });
    }
  }
  return (1000 * GAMES * TURNS) / (performance.now() - began);
}
