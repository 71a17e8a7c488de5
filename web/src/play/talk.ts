// A conversation with a model of a world that has no views here: the visitor writes what the world says.
import type { Talk } from "archer-web";
import { effect, signal } from "@preact/signals";
import { agent, brought, generation } from "../agent";
import { singleFlight } from "../single-flight";

export interface Line {
  said: string;
  /** What the visitor wrote after it, once they did. */
  reply: string | null;
}

export interface Conversation {
  opening: string;
  lines: Line[];
}

export const conversation = signal<Conversation | null>(null);
/** What it writes at the moment. */
export const writing = signal<string | null>(null);
const gate = singleFlight();
export const { trouble, busy } = gate;

let talk: Talk | null = null;
let seed = 1;

/** What a conversation begins with, where the visitor writes nothing else. */
export const suggested = (): string => brought.peek()?.opening?.trimEnd() ?? "";

/** A text that an end of line closes, as worlds write them. */
const closed = (text: string): string => (text.endsWith("\n") ? text : `${text}\n`);

export const begin = (opening: string) =>
  gate.pass(async () => {
    const current = agent.peek();
    if (!current) return;
    seed += 1;
    talk = current.start({ opening: closed(opening), seed });
    conversation.value = { opening, lines: [] };
    await say();
  });

export const answer = (reply: string) =>
  gate.pass(async () => {
    const shown = conversation.peek();
    if (!talk || !shown) return;
    talk.hear(reply);
    const lines = shown.lines.map((line, n) => (n === shown.lines.length - 1 ? { ...line, reply } : line));
    conversation.value = { ...shown, lines };
    await say();
  });

/** Lets it say something else in the place of what it said last, drawn anew. */
export const another = () =>
  gate.pass(async () => {
    const shown = conversation.peek();
    if (!talk || !shown || shown.lines.length === 0) return;
    talk.undo();
    conversation.value = { ...shown, lines: shown.lines.slice(0, -1) };
    await say(true);
  });

export function end(): void {
  talk = null;
  conversation.value = null;
  writing.value = null;
}

async function say(sample = false): Promise<void> {
  const mine = talk;
  if (!mine) return;
  writing.value = "";
  try {
    const { text } = await mine.say({ score: false, sample, onText: (now) => talk === mine && (writing.value = now) });
    const shown = conversation.peek();
    if (talk === mine && shown) conversation.value = { ...shown, lines: [...shown.lines, { said: text, reply: null }] };
  } finally {
    if (talk === mine) writing.value = null;
  }
}

// Another agent, another conversation.
effect(() => {
  generation.value;
  end();
});
