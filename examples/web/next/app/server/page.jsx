import { load } from "archer-web";
import { play } from "archer-web/twenty-questions";

// At each visit, and not when the site is built.
export const dynamic = "force-dynamic";

/** The agent computes on the server. */
export default async function Page() {
  const agent = await load();
  const game = await play(agent);
  const turn = await game.ask();
  await agent.dispose();
  return <p id="said">{turn.question}</p>;
}
