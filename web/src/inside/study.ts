// A game under the glass: a copy of one that was played, or one that the agent plays by itself. Turning it
// over, forcing questions and playing on never touches the person's own game.
import { type Answer, type Game, type Inspection, play, type Turn } from "archer-web/twenty-questions";
import { computed, effect, signal } from "@preact/signals";
import { agent, generation, guessing } from "../agent";
import { signed } from "../format";
import { game as asked, record, reveal } from "../play/asked";
import { singleFlight } from "../single-flight";
import { announce } from "../ui/announce";

/** A line of play: its turns, and what the critic thought before each. */
export interface Line {
  turns: Turn[];
  inspections: (Inspection | null)[];
  /** The return of a finished line. */
  ended: number | null;
}

export const line = signal<Line | null>(null);
/** The line before a question was forced, to compare with. */
export const before = signal<Line | null>(null);
/** What the game is about, where that is known: then the table of facts answers. */
export const thing = signal<string | null>(null);
/** Whether the game is the person's own. */
export const own = signal(false);
export const selected = signal(1);
const gate = singleFlight();
export const { trouble, busy } = gate;

let game: Game | null = null;

export const inspection = computed(() => line.value?.inspections[selected.value - 1] ?? null);
/** The question that waits for the person's answer. */
export const open = computed(() => line.value?.turns.find((turn) => turn.answer === null) ?? null);

function refresh(from: number): void {
  if (!game) return;
  const { turns, status, returnSoFar } = game.state;
  const kept = (line.peek()?.inspections ?? []).slice(0, from - 1);
  const ended = status === "found" || status === "lost" ? returnSoFar : null;
  line.value = { turns, inspections: turns.map((_, n) => kept[n] ?? null), ended };
}

function put(number: number, found: Inspection): void {
  const current = line.peek();
  if (!current) return;
  const inspections = current.inspections.slice();
  inspections[number - 1] = found;
  line.value = { ...current, inspections };
}

async function lookAt(number: number, also: string[] = []): Promise<void> {
  if (!game) return;
  put(number, await game.inspect({ turn: number, also }));
}

/** Looks at every turn that was not looked at yet, the chosen one first; what the person asks for comes between. */
async function lookAtAll(): Promise<void> {
  const missing = () => {
    const inspections = line.peek()?.inspections ?? [];
    const here = selected.peek() - 1;
    if (inspections[here] === null) return here;
    return inspections.indexOf(null);
  };
  for (let next = missing(); next >= 0 && !gate.awaited(); next = missing()) await lookAt(next + 1);
}

/** Plays on from where the game stands, as the table of facts answers for `about`. */
async function playOn(about: string): Promise<void> {
  const played = game;
  // Another model may take the place of this one at any time, and the game is gone then.
  while (played && game === played) {
    const { status } = played.state;
    if (status === "ask") await played.ask();
    else if (status === "answer") await played.answer(await truth(about));
    else return;
    if (game === played) refresh(played.state.turns.length);
  }
}

async function truth(about: string): Promise<Answer> {
  const told = await game?.reveal(about);
  return told?.turns.at(-1)?.expected ?? "unknown";
}

/** Opens a copy of the game that the person plays or played. */
export const openOwn = () =>
  gate.queue(async () => {
    const stored = record.peek();
    if (!agent.value || !stored || stored.turns.length === 0) return;
    game = await play(agent.value, { seed: stored.seed, turns: stored.turns });
    own.value = true;
    thing.value = asked.peek()?.found ?? (reveal.peek()?.known ? (reveal.peek()?.thing ?? null) : null);
    begun(stored.turns.length);
    await lookAtAll();
  });

/** Lets the agent play a game about a thing, the table of facts answering. */
export const watch = (about: string) =>
  gate.queue(async () => {
    if (!agent.value) return;
    game = await play(agent.value, { seed: 1 });
    own.value = false;
    thing.value = about;
    begun(1);
    await playOn(about);
    await lookAtAll();
  });

function begun(turn: number): void {
  before.value = null;
  line.value = null;
  selected.value = turn;
  refresh(1);
}

/** Opens what there is to look at: the person's game as it is by now, else one that the agent plays by itself. */
export function openSomething(): void {
  const stored = record.peek()?.turns ?? [];
  const shown = line.peek();
  const same = shown?.turns.length === stored.length && stored.every((turn, n) => turn.question === shown.turns[n]?.question && turn.answer === shown.turns[n]?.answer);
  const first = guessing.peek()?.things[0];
  if (stored.length > 0 && (!shown || (own.peek() && !before.peek() && !same))) void openOwn();
  else if (!shown && first) void watch(first);
}

export function select(number: number): void {
  selected.value = number;
  void gate.queue(lookAtAll);
}

/** Judges a question of the person's own at the chosen turn. */
export const judge = (question: string) =>
  gate.queue(async () => {
    const others = inspection.peek()?.alternatives.map((other) => other.question) ?? [];
    await lookAt(selected.peek(), [...others, question]);
    const judged = inspection.peek()?.alternatives.find((other) => other.question === question);
    if (judged) announce(`${question} ${signed(judged.advantage)} beside the usual question.`);
    await lookAtAll();
  });

/** Goes back to the chosen turn and asks another question there. */
export const force = (question: string) =>
  gate.queue(async () => {
    if (!game) return;
    const number = selected.peek();
    if (before.peek() === null) before.value = line.peek();
    await game.force(number, question);
    refresh(number);
    await lookAt(number);
    if (thing.peek() !== null) await playOn(thing.peek() ?? "");
    announce(difference() ?? `Instead: ${question}`);
    await lookAtAll();
  });

/** Answers the question that was forced, where only the person knows. */
export const reply = (answer: Answer) =>
  gate.queue(async () => {
    if (!game || game.state.status !== "answer") return;
    const state = await game.answer(answer);
    if (state.status === "ask") await game.ask();
    refresh(state.turns.length);
    selected.value = game.state.turns.length;
    await lookAtAll();
  });

/** Back to the game as it was. */
export const restore = () =>
  gate.queue(async () => {
    const old = before.peek();
    if (!game || !agent.value || !old) return;
    game = await play(agent.value, { seed: record.peek()?.seed ?? 1, turns: old.turns });
    line.value = old;
    before.value = null;
    selected.value = Math.min(selected.peek(), old.turns.length);
    await lookAtAll();
  });

/** What forcing changed, in a sentence. */
export function difference(): string | null {
  const [old, now] = [before.value, line.value];
  if (!old || !now) return null;
  if (old.ended !== null && now.ended !== null) {
    return `The original game scored ${signed(old.ended, 0)}. With this question it scores ${signed(now.ended, 0)}.`;
  }
  const at = now.turns.findIndex((turn, n) => turn.question !== old.turns[n]?.question);
  const [was, is] = [old.inspections[at]?.asked, now.inspections[at]?.asked];
  if (!was || !is) return null;
  return `Expected final score: ${signed(was.expectedReturn)} with the original question, ${signed(is.expectedReturn)} with this one.`;
}

// Another model judges otherwise: begin again.
let judgedBy = generation.peek();
effect(() => {
  if (generation.value === judgedBy) return;
  judgedBy = generation.value;
  game = null;
  line.value = null;
  before.value = null;
});
