// The game the other way round: the page thinks of something, the person asks in free text.
import { host, type HostedGame, type HostState } from "archer-web/twenty-questions";
import { signal } from "@preact/signals";
import { agent, guessing, onAgent } from "../agent";
import { count, withArticle } from "../format";
import { kept, shaped } from "../kept";
import { at, correct, go } from "../route";
import { troubleOf } from "../trouble";
import { singleFlight } from "../single-flight";
import { announce } from "../ui/announce";

interface KeptHosted {
  seed: number;
  /** How many things it was drawn from: another agent draws another one by the same seed. */
  things: number;
  questions: string[];
  gaveUp: boolean;
}

const fits = (value: unknown): value is KeptHosted | null =>
  value === null || shaped(value, { seed: "number", things: "number", questions: "array", gaveUp: "boolean" });

const record = kept<KeptHosted | null>("hosted", null, fits, "tab");

export const hosted = signal<HostState | null>(null);

let current: HostedGame | null = null;
const gate = singleFlight();
export const { trouble, busy } = gate;

function show(state: HostState, gaveUp: boolean): void {
  hosted.value = state;
  const { seed, things } = record.peek() ?? { seed: 1, things: known() };
  record.value = { seed, things, questions: state.turns.map((turn) => turn.question), gaveUp };
}

const known = (): number => guessing.peek()?.things.length ?? 0;

/** The page thinks of something new. */
export const think = () =>
  gate.pass(async () => {
    if (!agent.value) return;
    const seed = 1 + Math.floor(Math.random() * 1e6);
    record.value = { seed, things: known(), questions: [], gaveUp: false };
    current = await host(agent.value, { seed });
    show(current.state, false);
    go({ view: "play", side: "person", game: true });
    announce("I’ve picked something. Ask away.");
  });

export const ask = (question: string) =>
  gate.pass(async () => {
    if (!current) return;
    const state = await current.ask(question);
    show(state, false);
    const last = state.turns.at(-1);
    const end = state.status === "ask" ? "" : ` ${ending(state)}`;
    if (last) announce(`${last.question} ${spoken(last)}${end}`);
  });

export const takeBack = () =>
  gate.pass(async () => {
    if (!current || current.state.turns.length === 0) return;
    show(await current.undo(), false);
    announce("Last question undone.");
  });

export const giveUp = () =>
  gate.pass(async () => {
    if (!current) return;
    const state = await current.giveUp();
    show(state, true);
    announce(ending(state));
  });

/** The world's reply in this page's words. */
export function spoken({ reply, meant, oneAtATime }: HostState["turns"][number]): string {
  if (oneAtATime) return "One at a time: the answers to these two differ. It still counts as a question.";
  if (reply === "Invalid Question.") return "I didn’t understand that. It still counts as a question.";
  return meant ? `(Did you mean “${meant}”?) ${reply}` : reply;
}

/** How it ended. */
export function ending(state: HostState): string {
  const it = state.thing ? withArticle(state.thing) : "it";
  return state.status === "found"
    ? `You found it in ${count(state.turns.length, "question")}: ${it}.`
    : `It was ${it}.`;
}

async function putBack(): Promise<void> {
  if (!agent.value) return;
  const stored = record.peek();
  if (!stored || stored.things !== known()) return leave();
  try {
    const again = await host(agent.value, { seed: stored.seed });
    for (const question of stored.questions) await again.ask(question);
    if (stored.gaveUp) await again.giveUp();
    current = again;
    show(again.state, stored.gaveUp);
    if (at("person")) correct({ game: true });
  } catch (error) {
    // A game of another version, or of another model's things, is not worth a word.
    if (troubleOf(error).code !== "usage") throw error;
    leave();
  }
}

/** No game: none was kept, or none that fits. */
function leave(): void {
  current = null;
  record.value = null;
  hosted.value = null;
  if (at("person")) correct({ game: false });
}

onAgent(() => void gate.queue(putBack));
