/** @jest-environment jsdom */
const { load } = require("archer-web");

test("an agent asks", async () => {
  const agent = await load();
  const game = await agent.play();
  const turn = await game.ask();
  expect(turn.question).toMatch(/\?$/);
  await agent.dispose();
}, 60_000);
