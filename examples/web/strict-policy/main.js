import { load } from "./archer-web/dist/index.js";
import { play } from "./archer-web/dist/twenty-questions.js";

const said = document.querySelector("#said");

async function begin() {
  const agent = await load({ onProgress: ({ message }) => (said.textContent = message) });
  const game = await play(agent);
  const turn = await game.ask();
  said.textContent = turn.question;
}

begin().catch((error) => (said.textContent = `${error.message} ${error.hint}`));
