// An agent that offers a drink and learns from your answers: nobody writes down what you like.
// The package's folder, copied beside this page.
import { create, defineWorld } from "./archer-web/dist/index.js";

const DRINKS = ["coffee", "tea", "juice"];
const TIMES = ["It is morning.", "It is evening."];

/** You are the world here: it is only defined so that the agent knows what it reads and says. */
const world = defineWorld({
  name: "drinks",
  maxTurns: 1,
  start: ({ seed }) => ({ text: TIMES[seed % 2], choices: DRINKS }),
  act: () => ({ reply: "Thanks.", reward: 0, end: "over" }),
});

/** So many answers are learned from at a time. */
const BATCH = 12;

/** Few answers are to change much: high rates, no hold on what it said before, and few passes over them. */
const HOW = { lm_lr: 1e-3, critic_lr: 2e-3, kl_coef: 0, epochs: 10 };

const at = (id) => document.getElementById(id);
const games = [];
let agent;
let talk;

/** Offers something. Sampled, so that it also tries what it does not prefer yet. */
async function offer() {
  talk = agent.start({ opening: TIMES[games.length % 2], choices: DRINKS, seed: games.length + 1 });
  const { text } = await talk.say({ sample: true });
  at("said").textContent = `${TIMES[games.length % 2]} Would you like ${text}?`;
  ready(true);
}

/** Your answer is the reward. */
async function answer(reward) {
  ready(false);
  talk.hear(reward > 0 ? "Yes, please." : "No, thanks.", { reward, end: "over" });
  games.push(talk.record());
  if (games.length % BATCH === 0) await learn();
  await offer();
}

async function learn() {
  at("learned").textContent = "Learning from your answers.";
  // Games of earlier calls are remembered: only the new ones are passed.
  for await (const _ of agent.learnFrom(games.slice(-BATCH), { iterations: 2, set: HOW }));
  const offers = [];
  for (const opening of TIMES) {
    const { text } = await agent.start({ opening, choices: DRINKS }).say();
    offers.push(`${opening} I would offer ${text}.`);
  }
  at("learned").textContent = `Learned from ${games.length} answers. ${offers.join(" ")}`;
}

function ready(on) {
  at("yes").disabled = at("no").disabled = !on;
}

at("yes").onclick = () => answer(1);
at("no").onclick = () => answer(-1);

async function begin() {
  agent = await create({ world, seed: 1 });
  await offer();
}

begin().catch((error) => (at("said").textContent = `${error.message} ${error.hint}`));
