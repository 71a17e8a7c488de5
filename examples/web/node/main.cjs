const { load } = require("archer-web");
const { play } = require("archer-web/twenty-questions");

(async () => {
  const agent = await load();
  const game = await play(agent);
  const turn = await game.ask();
  console.log(turn.question);
  await agent.dispose();
})();
