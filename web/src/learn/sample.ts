// One game about one thing, as the agent played it before it learned and as it plays it after.
import type { Agent } from "archer-web";
import { type Answer, play } from "archer-web/twenty-questions";

export interface SampleGame {
  turns: { question: string; answer: Answer }[];
  found: boolean;
}

/** The same game before and after. */
export interface Sample {
  thing: string;
  before: SampleGame | null;
  after: SampleGame | null;
}

/**
 * Lets one agent play a game about a thing while the world of another answers: the agent that has not learned cannot
 * answer for the world that has changed. Nothing comes of a game that is no longer wanted.
 */
export async function playedAbout(
  thing: string,
  { asker, oracle, still }: { asker: Agent; oracle: Agent; still: () => boolean },
): Promise<SampleGame | null> {
  if (thing === "") return null; // a world without things
  const game = await play(asker, { seed: 1 });
  while (game.state.status === "ask" || game.state.status === "answer") {
    if (!still()) return null;
    if (game.state.status === "ask") await game.ask();
    else await game.answer(await truth(thing, game.state.turns, oracle));
  }
  const turns = game.state.turns.flatMap(({ question, answer }) => (answer ? [{ question, answer }] : []));
  return { turns, found: game.state.status === "found" };
}

async function truth(
  thing: string,
  turns: readonly { question: string; answer: Answer | null }[],
  oracle: Agent,
): Promise<Answer> {
  const same = await play(oracle, { seed: 1, turns: turns.map(({ question, answer }) => ({ question, answer })) });
  const told = await same.reveal(thing);
  return told.turns.at(-1)?.expected ?? "unknown";
}
