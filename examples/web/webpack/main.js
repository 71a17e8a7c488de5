import { load } from "archer-web";
import { play } from "archer-web/twenty-questions";

const said = document.querySelector("#said");

async function begin() {
  const agent = await load({ onProgress: ({ message }) => (said.textContent = message) });
  const game = await play(agent);
  const turn = await game.ask();
  said.textContent = turn.question;
}

begin().catch((error) => (said.textContent = `${error.message} ${error.hint}`));
