import { load } from "archer-web";
import { play } from "archer-web/twenty-questions";
import { expect, test } from "vitest";

test("an agent asks", { timeout: 60_000 }, async () => {
  const agent = await load();
  const game = await play(agent);
  const turn = await game.ask();
  expect(turn.question).toMatch(/\?$/);
  await agent.dispose();
});
