// A critic for the agent that was made. The agent learns without one, because that is faster. Here a copy of it gets
// one, which learns from games what each utterance is worth. The agent itself stays as it is.
import { type Agent, load } from "archer-web";
import { effect, signal } from "@preact/signals";
import { singleFlight } from "../single-flight";
import { announce } from "../ui/announce";
import { confinedWorker } from "../worker";
import { doing, made } from "./make";

/** Games of the agent that the critic learns from, and as many of the agent before its training: it must see bad turns, too. */
const GAMES = 200;
const ITERATIONS = 20;

/** The copy of the agent that has a critic. */
export const judge = signal<Agent | null>(null);
/** How much of the learning is done, from 0 to 1, while the critic learns. */
export const learned = signal<number | null>(null);
const gate = singleFlight();
export const { trouble } = gate;

export const makeCritic = () =>
  gate.pass(async () => {
    const current = made.peek();
    if (!current) return;
    learned.value = 0;
    const { agent, world } = current;
    let copy: Agent | null = null;
    try {
      const played = { games: GAMES, world, sample: true };
      const games = [...(await agent.playGames(played)), ...(await agent.playGames({ ...played, model: "kept" }))];
      copy = await load({ model: await agent.export(), backend: "cpu", worker: confinedWorker });
      // In these iterations the critic alone learns.
      const learning = copy.learnFrom(games, { world, iterations: ITERATIONS, set: { warmup_iter: ITERATIONS } });
      for await (const { iteration } of learning) {
        learned.value = iteration / ITERATIONS;
        if (made.peek() !== current || doing.peek() !== null) return;
      }
      [judge.value, copy] = [copy, null];
      announce("The critic is ready.");
    } finally {
      learned.value = null;
      await copy?.dispose();
    }
  });

// A critic is of the agent as it was: where that is replaced or goes on learning, it is of no use.
effect(() => {
  made.value;
  doing.value;
  const old = judge.peek();
  judge.value = null;
  void old?.dispose();
});
