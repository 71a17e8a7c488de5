/** @jest-environment jsdom */
const { load } = require("archer-web");
const { play } = require("archer-web/twenty-questions");

test("an agent asks", async () => {
  const agent = await load();
  const game = await play(agent);
  const turn = await game.ask();
  expect(turn.question).toMatch(/\?$/);
  await agent.dispose();
}, 60_000);
