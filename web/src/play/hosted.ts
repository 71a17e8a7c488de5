// The game the other way round: the page thinks of something, the person asks in free text.
import type { HostedGame, HostState } from "archer-web";
import { signal } from "@preact/signals";
import { agent, onAgent } from "../agent";
import { count, withArticle } from "../format";
import { kept, shaped } from "../kept";
import { turnstile } from "../turnstile";
import { announce } from "../ui/announce";

interface KeptHosted {
  seed: number;
  questions: string[];
  gaveUp: boolean;
}

const fits = (value: unknown): value is KeptHosted | null =>
  value === null || shaped(value, { seed: "number", questions: "array", gaveUp: "boolean" });

const record = kept<KeptHosted | null>("hosted", null, fits, "tab");

export const hosted = signal<HostState | null>(null);

let current: HostedGame | null = null;
const gate = turnstile();
export const { trouble } = gate;

function show(state: HostState, gaveUp: boolean): void {
  hosted.value = state;
  const seed = record.peek()?.seed ?? 1;
  record.value = { seed, questions: state.turns.map((turn) => turn.question), gaveUp };
}

/** The page thinks of something new. */
export const think = () =>
  gate.pass(async () => {
    if (!agent.value) return;
    const seed = 1 + Math.floor(Math.random() * 1e6);
    record.value = { seed, questions: [], gaveUp: false };
    current = await agent.value.host({ seed });
    show(current.state, false);
    announce("I have thought of something. Ask me.");
  });

export const ask = (question: string) =>
  gate.pass(async () => {
    if (!current) return;
    const state = await current.ask(question);
    show(state, false);
    const last = state.turns.at(-1);
    const end = state.status === "ask" ? "" : ` ${ending(state)}`;
    if (last) announce(`${last.question} ${spoken(last.reply)}${end}`);
  });

export const takeBack = () =>
  gate.pass(async () => {
    if (!current || current.state.turns.length === 0) return;
    show(await current.undo(), false);
    announce("The last question is taken back.");
  });

export const giveUp = () =>
  gate.pass(async () => {
    if (!current) return;
    const state = await current.giveUp();
    show(state, true);
    announce(ending(state));
  });

/** The world's reply in this page's words. */
export function spoken(reply: string): string {
  return reply === "Invalid Question." ? "I do not understand that question." : reply;
}

/** How it ended. */
export function ending(state: HostState): string {
  const it = state.thing ? withArticle(state.thing) : "it";
  return state.status === "found"
    ? `You found it in ${count(state.turns.length, "question")}: ${it}.`
    : `It was ${it}.`;
}

async function putBack(): Promise<void> {
  const stored = record.peek();
  if (!stored || !agent.value) return;
  current = await agent.value.host({ seed: stored.seed });
  for (const question of stored.questions) await current.ask(question);
  if (stored.gaveUp) await current.giveUp();
  show(current.state, stored.gaveUp);
}

onAgent(() => void gate.queue(putBack));
