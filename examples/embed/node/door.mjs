// A world written in JavaScript, learned and played inside the component.
//
//   npm install && npm start
import { definition, open } from "./archer.mjs";

const choices = ["open", "take", "wait"];
const door = {
  name: "door",
  maxTurns: 5,
  best: 1,
  start: () => ({ text: "A locked door. A key lies here.", choices, state: { key: false } }),
  act(state, said) {
    if (said === "take" && !state.key) return { reply: "You have the key.", reward: 0, choices, state: { key: true } };
    if (said === "open" && state.key) return { reply: "It opens.", reward: 1, end: "won" };
    return { reply: "Nothing happens.", reward: -0.1, choices };
  },
};

const { Agent } = await open(door);
const agent = Agent.create({
  world: definition(door), demonstrations: [], size: "tiny", seed: 1n, algorithm: "ppo", set: [],
});
const iterations = Number(process.argv[2] ?? 20);
agent.fineTune({ iterations, seed: 1n, set: [] });
for (let update; !update?.finished; ) {
  update = agent.step();
  if (update.iteration % 5 === 0) console.log(`iteration ${update.iteration}: return ${update.meanReturn.toFixed(2)}`);
}

const { text, ...opening } = door.start();
const talk = agent.start({ opening: text, choices, seed: 1n, exchanges: [] });
console.log(text);
for (let state = opening.state, turn = {}; !turn.end; ) {
  const said = talk.say({ sample: false, score: false, alternatives: 0 }).text;
  turn = door.act(state, said);
  state = turn.state ?? state;
  console.log(`> ${said}\n${turn.reply}`);
  if (!turn.end) talk.hear(turn.reply, turn.choices);
}
const { meanReturn } = agent.evaluate({ games: 20, seed: 7n, sample: false });
console.log(`trained: return ${meanReturn.toFixed(2)}`);
