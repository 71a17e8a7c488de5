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
export const suggested = (): string => refused ?? brought.peek()?.opening?.trimEnd() ?? "";
/** What the visitor wrote where the conversation could not begin with it. */
let refused: string | null = null;

/** A text that an end of line closes, as worlds write them. */
const closed = (text: string): string => (text.endsWith("\n") ? text : `${text}\n`);

export const begin = (opening: string) =>
  gate.pass(async () => {
    const current = agent.peek();
    if (!current) return;
    seed += 1;
    talk = current.start({ opening: closed(opening), seed });
    conversation.value = { opening, lines: [] };
    refused = opening;
    await say().catch(undoing(talk, end));
    refused = null;
  });

export const answer = (reply: string) =>
  gate.pass(async () => {
    const shown = conversation.peek();
    if (!talk || !shown) return;
    talk.hear(reply);
    const lines = shown.lines.map((line, n) => (n === shown.lines.length - 1 ? { ...line, reply } : line));
    conversation.value = { ...shown, lines };
    const mine = talk;
    const undo = () => {
      mine.undo();
      conversation.value = shown;
    };
    await say().catch(undoing(mine, undo));
  });

/** Lets it say something else in the place of what it said last, drawn anew. */
export const another = () =>
  gate.pass(async () => {
    const shown = conversation.peek();
    const last = shown?.lines.at(-1);
    if (!talk || !shown || !last) return;
    talk.undo();
    conversation.value = { ...shown, lines: shown.lines.slice(0, -1) };
    const mine = talk;
    const undo = () => {
      if (last.said.trim() === "") return end(); // silence cannot be put into its mouth
      mine.force(last.said);
      conversation.value = shown;
    };
    await say(true).catch(undoing(mine, undo));
  });

/** What it could not say leaves the conversation as it was before, so that it can go on. */
const undoing = (of: Talk, undo: () => void) => (error: unknown): never => {
  if (talk === of) undo();
  throw error;
};

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
  refused = null;
  end();
});
