// A door in Node, without packages: the key of its colour opens it.
//
//     archer train --world "node examples/worlds/node_world.mjs"
//
// Each line of standard input is a request and gets one line back; a batch holds many games.
import { createInterface } from "node:readline";

const KEYS = ["red key", "green key", "blue key"];
const about = { name: "door", max_turns: 1, tasks: 3, best: 1, worst: 0, protocol: 1 };
const games = new Map(); // for each game: the key that opens its door

function start({ game, seed, task }) {
  task ??= seed % KEYS.length;
  games.set(game, KEYS[task]);
  const [colour] = KEYS[task].split(" ");
  return { game, text: `The door is ${colour}.\n`, choices: KEYS, task };
}

function act({ game, said }) {
  const opens = said === games.get(game);
  const reply = opens ? "It opens." : "It does not turn.";
  return { game, reply, reward: opens ? 1 : 0, end: opens ? "won" : "over" };
}

function answer(message) {
  switch (message.cmd) {
    case "about":
      return about;
    case "batch":
      return { of: message.of.map(answer) };
    case "start":
      return start(message);
    case "act":
      return act(message);
    case "close":
      games.delete(message.game);
      return { game: message.game };
    default:
      return { error: `there is no ${message.cmd}` };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(answer(JSON.parse(line))) + "\n");
}
