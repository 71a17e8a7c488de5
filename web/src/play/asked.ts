// The game in which the person thinks of something and the agent asks: what stands, and what can be done.
// One action runs at a time; a key pressed meanwhile is dropped, and an action takes a few hundredths of a second.
import { type Answer, type Game, type GameState, type Guesses, type Inspection, play, type Reveal } from "archer-web/twenty-questions";
import { signal } from "@preact/signals";
import { agent, type Arrival, guessing, onAgent, wrote } from "../agent";
import { count, withArticle } from "../format";
import { kept, shaped } from "../kept";
import { at, correct, go } from "../route";
import { troubleOf } from "../trouble";
import { singleFlight } from "../single-flight";
import { announce } from "../ui/announce";

/** The game as it is kept: enough to put it back. */
interface KeptGame {
  seed: number;
  turns: { question: string; answer: Answer | null; forced: boolean }[];
  /** What the person said it was, after a loss. */
  told: string | null;
  /** The thing that the agent plays about by itself, the table of facts answering. */
  watched?: string | null;
}

const fits = (value: unknown): value is KeptGame | null =>
  value === null || shaped(value, { seed: "number", turns: "array" });

export const record = kept<KeptGame | null>("asked", null, fits, "tab");

export const game = signal<GameState | null>(null);
export const guesses = signal<Guesses | null>(null);
/** The question as far as it is written, while it is. */
export const writing = signal<string | null>(null);
export const reveal = signal<Reveal | null>(null);
/** What else it might have asked, and what the critic thinks of each. */
export const thoughts = signal<Inspection | null>(null);
/** Whether that is shown. */
export const thinking = kept("thinking", true, (value): value is boolean => typeof value === "boolean");
/** The question from which on another agent plays. */
export const changedAt = signal<number | null>(null);
/** What a watched game is about. */
export const watched = signal<string | null>(null);
/** Whether a watched game waits. */
export const held = signal(false);

/** How the answers read. */
export const ANSWERS: Record<Answer, string> = { yes: "Yes", no: "No", sometimes: "Sometimes", unknown: "Don’t know" };

/** Those that the agent's world has. */
export const possible = (): Answer[] =>
  (Object.keys(ANSWERS) as Answer[]).filter((said) => said !== "sometimes" || guessing.value?.sometimes);

let current: Game | null = null;
const gate = singleFlight();
export const { trouble } = gate;

function show(played: Game): void {
  const state = played.state;
  game.value = state;
  const turns = state.turns.map(({ question, answer, forced }) => ({ question, answer, forced }));
  const before = record.peek();
  const told = state.status === "lost" ? (before?.told ?? null) : null;
  record.value = { seed: before?.seed ?? 1, turns, told, watched: watched.peek() };
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

/** Utterances sampled to find what else it might have asked. */
const OTHERS_SAMPLED = 8;

/** Looks up what the agent would guess and what else it might ask, beside the game: nobody should wait for it before answering. */
function lookBeside(played: Game): void {
  const { length } = played.state.turns;
  const still = () => current === played && played.state.turns.length === length;
  const look = async () => {
    const found = await played.guesses();
    if (!still()) return;
    guesses.value = found;
    if (!thinking.peek() || played.state.status !== "answer") return;
    const seen = await played.inspect({ samples: OTHERS_SAMPLED });
    if (still()) thoughts.value = seen;
  };
  look().catch((error: unknown) => {
    trouble.value = troubleOf(error);
  });
}

/** Shows or hides what else it might have asked. */
export function setThinking(on: boolean): void {
  thinking.value = on;
  if (!on) thoughts.value = null;
  else if (current) lookBeside(current);
}

/** A new game: the person has something in mind. */
export const start = () => gate.pass(() => begin(null));

/** A game to watch: the page draws one of the things, and its table of facts answers. */
export const watchOne = () =>
  gate.pass(async () => {
    const things = guessing.peek()?.things ?? [];
    const drawn = things[Math.floor(Math.random() * things.length)];
    if (drawn) await begin(drawn);
  });

async function begin(about: string | null): Promise<void> {
  if (!agent.value) return;
  const seed = 1 + Math.floor(Math.random() * 1e6);
  clear();
  watched.value = about;
  record.value = { seed, turns: [], told: null, watched: about };
  const played = await play(agent.value, { seed });
  current = played;
  show(played);
  go({ view: "play", side: "agent", game: true });
  await ask(played);
  lookBeside(played);
  if (about !== null) watchOn(played);
}

/** How long a watched question stands before it is answered. */
const WATCH_MS = 1200;

/** Lets the table answer the question that stands, after a while. */
function watchOn(played: Game): void {
  setTimeout(() => {
    const about = watched.peek();
    if (current !== played || about === null || held.peek() || played.state.status !== "answer") return;
    void gate.queue(async () => {
      const truth = (await played.reveal(about)).turns.at(-1)?.expected ?? "unknown";
      if (current !== played || played.state.status !== "answer") return;
      await answerWith(played, truth);
      watchOn(played);
    });
  }, WATCH_MS);
}

/** Lets a watched game wait, or go on. */
export function hold(on: boolean): void {
  held.value = on;
  if (!on && current) watchOn(current);
}

/** Asks once more where a question could not be written. */
export const askAgain = () =>
  gate.pass(async () => {
    const played = current;
    if (played?.state.status !== "ask") return;
    await ask(played);
    lookBeside(played);
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
    await answerWith(played, said);
  });
};

async function answerWith(played: Game, said: Answer): Promise<void> {
  const state = await played.answer(said);
  if (current !== played) return;
  thoughts.value = null;
  show(played);
  if (state.status === "found") announce(`Found after ${count(state.turns.length, "question")}: ${state.found}.`);
  else if (state.status === "lost") announce(`${count(state.turns.length, "question")}, and not found.${watched.peek() ? "" : " What was it?"}`);
  else await ask(played);
  lookBeside(played);
}

/** Undoes the last answer. */
export const undo = () =>
  gate.pass(async () => {
    const played = current;
    if (!played || !canUndo(played.state)) return;
    const turns = (state: GameState) => state.turns.filter((turn) => turn.answer !== null).length;
    const before = turns(played.state);
    while (turns(played.state) === before) await played.undo();
    if (current !== played) return;
    reveal.value = null;
    thoughts.value = null;
    if (played.state.status === "ask") await ask(played);
    else {
      show(played);
      const open = played.state.turns.at(-1);
      if (open) announce(`Undone. Question ${open.number}. ${open.question}`);
    }
    lookBeside(played);
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
  if (!told.known) return `I’ve never heard of ${withArticle(told.thing)}, and it isn’t in my fact table.`;
  const astray = told.turns.filter((turn) => !turn.agrees);
  const it = withArticle(told.thing);
  if (astray.length > 0) return `So it was ${it}. I had learned ${count(astray.length, "other answer")}.`;
  if (!told.listed) return `So it was ${it}. I was never trained on that one.`;
  return `So it was ${it}. Your answers were fair; I just didn’t get there.`;
}

/** Leaves the game for the first page of a new one. */
export function leave(): void {
  current = null;
  record.value = null;
  game.value = null;
  clear();
  if (at("agent")) correct({ game: false });
}

/** Nothing is known of a game any more, or yet. */
function clear(): void {
  guesses.value = null;
  writing.value = null;
  reveal.value = null;
  thoughts.value = null;
  changedAt.value = null;
  watched.value = null;
  held.value = false;
}

async function putBack(how: Arrival): Promise<void> {
  if (!agent.value) return;
  const stored = record.peek();
  // The tab that was taken over has none: neither has this one then.
  if (!stored) return leave();
  // Another agent asks its own question instead of the one that stands open.
  const answered = stored.turns.filter((turn) => turn.answer !== null);
  const another = how === "another" && game.peek() !== null;
  let played: Game;
  try {
    played = await play(agent.value, { seed: stored.seed, turns: another ? answered : stored.turns });
  } catch (error) {
    // A game of another version, or one that another model cannot play, is not worth a word.
    if (troubleOf(error).code !== "usage") throw error;
    return leave();
  }
  current = played;
  thoughts.value = null;
  watched.value = stored.watched ?? null;
  if (another && played.state.status === "ask") changedAt.value = answered.length + 1;
  show(played);
  if (at("agent")) correct({ game: true });
  if (stored.told !== null && played.state.status === "lost") {
    const told = await played.reveal(stored.told);
    if (current === played) reveal.value = told;
  }
  if (played.state.status === "ask") await ask(played);
  lookBeside(played);
  if (watched.peek() !== null) watchOn(played);
}

onAgent((how) => void gate.queue(() => putBack(how)));
