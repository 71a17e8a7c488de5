// An agent that is made, trained and played by the installed package, in a world of this file.
import { create, defineWorld, load } from "archer-web";

const world = defineWorld({
  name: "door",
  maxTurns: 1,
  choices: true,
  start: () => ({ text: "You stand before a door.\n", choices: ["open", "knock", "wait"], state: {} }),
  act: (state, said) => ({
    reply: said === "open" ? "It opens.\n" : "Nothing happens.\n",
    reward: said === "open" ? 1 : 0,
    end: said === "open" ? "won" : "over",
    state,
  }),
});

const agent = await create({ world, size: "tiny", seed: 1 });
let last;
for await (const update of agent.fineTune({ world, iterations: 20 })) last = update;
const again = await load({ model: await agent.export() });
const talk = again.start({ opening: "You stand before a door.\n", choices: ["open", "knock", "wait"] });
const { text } = await talk.say();
console.log(`after ${last.iteration} iterations it says: ${text}`);
if (text !== "open") throw new Error("it has not learned to open the door");
agent.dispose();
again.dispose();
