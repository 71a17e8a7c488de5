// A game with the trained agent, step by step: it speaks, the world replies, or the visitor does one or the other.
import type { JudgedUtterance, Talk, Utterance } from "archer-web";
import { effect, signal } from "@preact/signals";
import { singleFlight } from "../single-flight";
import { judge } from "./critic";
import { answered, made, openGame } from "./make";
import type { Told } from "./sandbox";

export interface Line {
  said: string;
  reply: string | null;
  reward: number;
}

export interface Scene {
  opening: string;
  lines: Line[];
  end: string | null;
  /** What may be said, with the chance of each, likeliest first. */
  might: { text: string; probability: number; critic: number | null }[];
  /** The value that the critic gives to where the game stands, where there is a critic. */
  value: number | null;
}

export const scene = signal<Scene | null>(null);
const gate = singleFlight();
export const { trouble, busy } = gate;

let talk: Talk | null = null;
/** What can be said now, where the world lists it. */
let choices: string[] | null = null;
let game = 0;
/** Each game is another. */
let seed = 1000;

const choicesOf = (told: Told): string[] | null => (Array.isArray(told.choices) ? told.choices.map(String) : null);

/** How many of the possible utterances are shown. */
const SHOWN = 6;

export const newGame = () =>
  gate.pass(async () => {
    const current = made.peek();
    if (!current) return;
    seed += 1;
    const opened = await openGame(seed);
    if (!opened) return;
    game = opened.game;
    const opening = String(opened.opening?.text ?? "");
    choices = choicesOf(opened.opening);
    talk = current.agent.start({ opening: opening.endsWith("\n") ? opening : `${opening}\n`, choices, seed });
    scene.value = { opening, lines: [], end: null, might: [], value: null };
    await consider();
  });

/** What it might say now, and what the critic thinks. */
async function consider(): Promise<void> {
  const [now, shown] = [talk, scene.peek()];
  if (!now || !shown || shown.end !== null) return;
  const { alternatives, value } = await judged(now);
  if (talk !== now) return;
  const might = alternatives.sort((a, b) => b.probability - a.probability).slice(0, SHOWN);
  scene.value = { ...(scene.peek() as Scene), might, value };
}

async function judged(now: Talk): Promise<{ alternatives: Scene["might"]; value: number | null }> {
  const critic = judge.peek();
  if (critic) {
    const { opening, lines } = scene.peek() as Scene;
    const exchanges = lines.map(({ said, reply }) => ({ said, reply: reply ?? "" }));
    const { alternatives, v1, v2 } = await critic.start({ opening, exchanges, choices }).inspect();
    const told = (one: JudgedUtterance) => ({ text: one.text, probability: one.probability, critic: one.advantage });
    return { alternatives: alternatives.map(told), value: Math.min(v1, v2) };
  }
  const said = await now.say({ alternatives: SHOWN });
  now.undo();
  const told = ({ text, logProb }: Pick<Utterance, "text" | "logProb">) => ({ text, probability: Math.exp(logProb), critic: null });
  const others = said.alternatives.filter((one) => one.text !== said.text).map(told);
  return { alternatives: [told(said), ...others], value: null };
}

/** The agent says what it would, or what the visitor puts into its mouth; then the world replies. */
export const step = (forced?: string) =>
  gate.pass(async () => {
    await turn(forced);
    await consider();
  });

/** Lets it play to the end. */
export const playOn = () =>
  gate.pass(async () => {
    while (talk && scene.peek()?.end === null) await turn();
  });

async function turn(forced?: string): Promise<void> {
  const [now, shown] = [talk, scene.peek()];
  if (!now || !shown || shown.end !== null) return;
  if (forced !== undefined) now.force(forced);
  const said = forced ?? (await now.say()).text;
  const told = await answered(game, said);
  if (talk !== now) return;
  const { reply, reward } = { reply: String(told?.reply ?? ""), reward: Number(told?.reward ?? 0) };
  const cut = shown.lines.length + 1 >= (made.peek()?.declared.maxTurns ?? 0) ? "cut" : null;
  const end = (told?.end ?? cut) as "won" | "over" | "cut" | null;
  choices = choicesOf(told);
  now.hear(reply, { reward, end, choices });
  scene.value = { ...shown, lines: [...shown.lines, { said, reply, reward }], end, might: [], value: null };
}

// A critic that has come looks at the game as it stands.
effect(() => {
  if (judge.value && talk) void gate.queue(consider);
});

// Another agent, another game.
effect(() => {
  made.value;
  talk = null;
  scene.value = null;
});
