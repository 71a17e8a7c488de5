import { load } from "archer-web";
import { play } from "archer-web/twenty-questions";

const agent = await load();
const game = await play(agent);
const turn = await game.ask();
console.log(turn.question);
await agent.dispose();
