import { load } from "archer-web";

const said = document.querySelector("#said");

async function begin() {
  const agent = await load({ onProgress: ({ message }) => (said.textContent = message) });
  const game = await agent.play();
  const turn = await game.ask();
  said.textContent = turn.question;
}

begin().catch((error) => (said.textContent = `${error.message} ${error.hint}`));
