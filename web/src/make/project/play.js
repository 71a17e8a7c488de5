// The agent plays its world; you may speak instead of it.
import { load } from "./archer/cpu.js";
import world from "./world.js";

const at = (id) => document.getElementById(id);
const agent = await load({ model: new URL("./agent.archer", import.meta.url) });
let seed = 0;
let talk;
let state;
let choices;

function show(tag, text, kind = "") {
  const line = document.createElement(tag);
  line.className = kind;
  line.textContent = text;
  at("game").append(line);
}

async function newGame() {
  seed += 1;
  const opening = await world.start({ seed, task: null });
  ({ state } = opening);
  choices = opening.choices ?? null;
  talk = agent.start({ opening: opening.text.endsWith("\n") ? opening.text : opening.text + "\n", choices, seed });
  at("game").replaceChildren();
  show("pre", opening.text);
  ready();
}

async function turn(mine) {
  if (mine) talk.force(mine);
  const said = mine ?? (await talk.say()).text;
  show("p", said, "said");
  const told = await world.act(state, said);
  if ("state" in told) ({ state } = told);
  const end = told.end ?? (talk.exchanges.length + 1 >= world.maxTurns ? "cut" : null);
  choices = told.choices ?? null;
  talk.hear(told.reply ?? "", { reward: told.reward, end, choices });
  show("pre", told.reply ?? "");
  if (end) show("p", `The game is over: ${end}. Score: ${talk.exchanges.reduce((sum, { reward }) => sum + reward, 0).toFixed(2)}`);
  ready();
}

/** What can be pressed now. */
function ready() {
  at("next").disabled = talk.end !== null;
  at("again").disabled = false;
  const buttons = talk.end === null ? (choices ?? []) : [];
  at("mine").replaceChildren(
    ...buttons.map((text) => {
      const button = document.createElement("button");
      button.textContent = text;
      button.onclick = () => turn(text);
      return button;
    }),
  );
}

at("next").onclick = () => turn();
at("again").onclick = newGame;
await newGame();
