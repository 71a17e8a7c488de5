// The game in which the person thinks of something and the agent asks: what stands, and what can be done.
// One action runs at a time; a key pressed meanwhile is dropped, and an action takes a few hundredths of a second.
import type { Answer, Game, GameState, Guesses, Reveal, Turn } from "archer-web";
import { signal } from "@preact/signals";
import { agent, info, onAgent, wrote } from "../agent";
import { count, withArticle } from "../format";
import { kept, shaped } from "../kept";
import { troubleOf } from "../trouble";
import { singleFlight } from "../single-flight";
import { announce } from "../ui/announce";

/** The game as it is kept: enough to put it back. */
interface KeptGame {
  seed: number;
  turns: { question: string; answer: Answer | null; forced: boolean }[];
  /** What the person said it was, after a loss. */
  told: string | null;
}

const fits = (value: unknown): value is KeptGame | null =>
  value === null || shaped(value, { seed: "number", turns: "array" });

export const record = kept<KeptGame | null>("asked", null, fits, "tab");

export const game = signal<GameState | null>(null);
export const guesses = signal<Guesses | null>(null);
/** The question as far as it is written, while it is. */
export const writing = signal<string | null>(null);
export const reveal = signal<Reveal | null>(null);

/** How the answers read. */
export const ANSWERS: Record<Answer, string> = { yes: "Yes", no: "No", sometimes: "Sometimes", unknown: "Don’t know" };

/** Those that the agent's world has. */
export const possible = (): Answer[] =>
  (Object.keys(ANSWERS) as Answer[]).filter((said) => said !== "sometimes" || info.value?.sometimes);

let current: Game | null = null;
const gate = singleFlight();
export const { trouble } = gate;

function show(played: Game): void {
  const state = played.state;
  game.value = state;
  const turns = state.turns.map(({ question, answer, forced }) => ({ question, answer, forced }));
  const before = record.peek();
  record.value = { seed: before?.seed ?? 1, turns, told: state.status === "lost" ? (before?.told ?? null) : null };
}

async function ask(played: Game): Promise<void> {
  writing.value = "";
  const begin = performance.now();
  let tokens = 0;
  const onText = (text: string) => {
    tokens += 1;
    if (current === played) writing.value = text;
  };
  const turn = await played.ask({ onText }).finally(() => (writing.value = null));
  wrote(tokens, performance.now() - begin);
  if (current !== played) return; // given up meanwhile
  show(played);
  announce(`Question ${turn.number}. ${turn.question}`);
}

/** Looks up what the agent would guess, beside the game: nobody should wait for it before answering. */
function suspect(played: Game): void {
  const { turns } = played.state;
  played.guesses().then(
    (found) => {
      if (current === played && played.state.turns.length === turns.length) guesses.value = found;
    },
    (error: unknown) => {
      trouble.value = troubleOf(error);
    },
  );
}

/** A new game: the person has something in mind. */
export const start = () =>
  gate.pass(async () => {
    if (!agent.value) return;
    const seed = 1 + Math.floor(Math.random() * 1e6);
    record.value = { seed, turns: [], told: null };
    reveal.value = null;
    const played = await agent.value.play({ seed });
    current = played;
    show(played);
    await ask(played);
    suspect(played);
  });

/** Asks once more where a question could not be written. */
export const askAgain = () =>
  gate.pass(async () => {
    const played = current;
    if (played?.state.status !== "ask") return;
    await ask(played);
    suspect(played);
  });

/**
 * Answers the question that the person sees, and lets the agent ask the next. It waits for what is under way (a game
 * being put back), and means nothing if that question is no longer open: a second press of the key.
 */
export const answer = (said: Answer) => {
  const seen = game.peek()?.turns.at(-1);
  if (!seen || seen.answer !== null) return Promise.resolve();
  return gate.queue(async () => {
    const played = current;
    const open = played?.state.turns.at(-1);
    if (!played || open?.answer !== null || open.number !== seen.number || open.question !== seen.question) return;
    const state = await played.answer(said);
    if (current !== played) return;
    show(played);
    if (state.status === "found") announce(`Found after ${count(state.turns.length, "question")}: ${state.found}.`);
    else if (state.status === "lost") announce(`${count(state.turns.length, "question")}, and not found. What was it?`);
    else await ask(played);
    suspect(played);
  });
};

/** Takes the last answer back. */
export const undo = () =>
  gate.pass(async () => {
    const played = current;
    if (!played || !canUndo(played.state)) return;
    const turns = (state: GameState) => state.turns.filter((turn) => turn.answer !== null).length;
    const before = turns(played.state);
    while (turns(played.state) === before) await played.undo();
    if (current !== played) return;
    reveal.value = null;
    if (played.state.status === "ask") await ask(played);
    else {
      show(played);
      const open = played.state.turns.at(-1);
      if (open) announce(`Taken back. Question ${open.number}. ${open.question}`);
    }
    suspect(played);
  });

export const canUndo = (state: GameState): boolean => state.turns.some((turn) => turn.answer !== null);

/** After a loss, the person tells what it was. */
export const tell = (thing: string) =>
  gate.pass(async () => {
    const played = current;
    if (!played) return;
    const told = await played.reveal(thing);
    if (current !== played) return;
    reveal.value = told;
    if (record.value) record.value = { ...record.value, told: thing };
    announce(verdict(told));
  });

/** What the revealed game shows, in a sentence. */
export function verdict(told: Reveal): string {
  if (!told.known) return `I have never heard of ${withArticle(told.thing)}. My table of facts does not know it either.`;
  const astray = told.turns.filter((turn) => !turn.agrees);
  const it = withArticle(told.thing);
  if (astray.length > 0) return `So it was ${it}. ${count(astray.length, "answer")} differed from what I had learned.`;
  if (!told.listed) return `So it was ${it}. I was never trained on that one.`;
  return `So it was ${it}. Your answers were fair; I simply did not get there.`;
}

/** Leaves the game for the first page of a new one. */
export function leave(): void {
  current = null;
  record.value = null;
  game.value = null;
  guesses.value = null;
  writing.value = null;
  reveal.value = null;
}

/** The turns played, for the view that looks inside. */
export const played = (): readonly Turn[] => game.value?.turns ?? [];

async function putBack(): Promise<void> {
  if (!agent.value) return;
  const stored = record.peek();
  // The tab that was taken over has none: neither has this one then.
  if (!stored) return leave();
  let played: Game;
  try {
    played = await agent.value.play({ seed: stored.seed, turns: stored.turns });
  } catch (error) {
    // A game of another version, or one that another model cannot play, is not worth a word.
    if (troubleOf(error).code !== "usage") throw error;
    return leave();
  }
  current = played;
  show(played);
  if (stored.told !== null && played.state.status === "lost") {
    const told = await played.reveal(stored.told);
    if (current === played) reveal.value = told;
  }
  if (played.state.status === "ask") await ask(played);
  suspect(played);
}

onAgent(() => void gate.queue(putBack));
