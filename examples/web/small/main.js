// Without WebGPU and with one model: the page's folder has nothing else of the package in it.
import { load } from "archer-web/cpu";
import model from "archer-web/models/quickstart";
import { play } from "archer-web/twenty-questions";

const said = document.querySelector("#said");

async function begin() {
  const agent = await load({ model, onProgress: ({ message }) => (said.textContent = message) });
  const game = await play(agent);
  const turn = await game.ask();
  said.textContent = turn.question;
}

begin().catch((error) => (said.textContent = `${error.message} ${error.hint}`));
