const { load } = require("archer-web");

(async () => {
  const agent = await load();
  const game = await agent.play();
  const turn = await game.ask();
  console.log(turn.question);
  await agent.dispose();
})();
