// One fine-tune: what is asked for, what it has shown so far, and how it goes on, stops and is kept.
// It learns on a twin of the playing agent in a worker of its own, so playing never waits for learning, and
// to roll back is to let the twin go. The twin is saved as it learns: a closed tab loses seconds.
import { type Agent, ArcherError, type Evaluation, type FineTune, type FineTuneUpdate } from "archer-web";
import { computed, effect, signal } from "@preact/signals";
import { adopt, agent, info, twin } from "../agent";
import { count, fixed } from "../format";
import { kept, shaped } from "../kept";
import { owner } from "../tabs";
import { type Trouble, troubleOf } from "../trouble";
import { announce } from "../ui/announce";
import { type Point, pointOf } from "./point";

const SAVED = "training";
const SAVE_EVERY_MS = 10_000;
const TAKEN = "Another tab has taken over this fine-tune.";
const TAKEN_HINT = "Go on there, or use archer in this tab again.";
/** The fixed games before and after: sampled as in training, since a greedy player plays one game per thing. */
const FIXED_GAMES = { games: 100, seed: 7, sample: true } as const;

export interface Settings {
  iterations: number;
  seed: number;
  games: number;
  /** Goes on with the run in the model file, by its own seed and sizes. */
  resume: boolean;
}

export type Outcome = "learning" | "learned" | "kept" | "rolled back";

/** What a fine-tune has shown. */
export interface Log {
  settings: Settings;
  /** Iterations that the agent had behind it when the fine-tune began. */
  base: number;
  points: Point[];
  before: Evaluation | null;
  after: Evaluation | null;
  outcome: Outcome;
}

export const settings = kept<Settings>(
  "settings",
  { iterations: 20, seed: 1, games: 64, resume: false },
  (value): value is Settings => shaped(value, { iterations: "number", seed: "number", games: "number", resume: "boolean" }),
);

export const log = kept<Log | null>(
  "learning",
  null,
  (value): value is Log | null =>
    value === null || shaped(value, { settings: "object", points: "array", outcome: "string", base: "number" }),
);

/** What goes on now: nothing, or one of these. */
export type Doing = "preparing" | "measuring before" | "learning" | "pausing" | "paused" | "stopping" | "measuring after" | "settling";
export const doing = signal<Doing | null>(null);
export const trouble = signal<Trouble | null>(null);
/** Whether a fine-tune runs or waits in this tab. */
export const training = computed(() => doing.value !== null && doing.value !== "settling");

let learner: Agent | null = null;
let run: FineTune | null = null;

/** Says of an action whether it is still the one under way. */
type Mine = () => boolean;
/** Rises with each action, and when another tab ends one: what was begun before must touch nothing any more. */
let acting = 0;

function change(part: Partial<Log>): void {
  if (log.peek()) log.value = { ...(log.peek() as Log), ...part };
}

/** Begins a fine-tune of the playing agent. */
export async function start(): Promise<void> {
  if (doing.peek() || !agent.peek()) return;
  await watched(async (mine) => {
    doing.value = "preparing";
    const chosen = settings.peek();
    log.value = {
      settings: chosen,
      base: info.peek()?.trained.iterations ?? 0,
      points: [],
      before: null,
      after: null,
      outcome: "learning",
    };
    await letGo();
    const made = await twin();
    if (!mine()) return made.dispose();
    learner = made;
    if (await measuredBefore(made, mine)) await learn(made, chosen.iterations, chosen.resume, mine);
  });
}

/** Plays the fixed games before anything is learned; whether to go on. */
async function measuredBefore(learning: Agent, mine: Mine): Promise<boolean> {
  doing.value = "measuring before";
  const before = await learning.evaluate(FIXED_GAMES);
  if (!mine()) return false;
  change({ before });
  return true;
}

/** Goes on with a fine-tune that was interrupted, or does more of one that was stopped. */
export async function goOn(iterations: number): Promise<void> {
  if (doing.peek() || !log.peek()) return;
  await watched(async (mine) => {
    doing.value = "preparing";
    const { settings: chosen, points, base, before } = log.peek() as Log;
    const woken = await wake();
    if (!mine()) return;
    // It was saved now and then: what came after the last time is lost, and its points with it.
    const done = woken.info.trained.iterations - base;
    const all = done + iterations;
    const left = points.filter((point) => point.iteration <= done);
    change({ outcome: "learning", after: null, points: left, settings: { ...chosen, iterations: all } });
    if (done === 0 && !before && !(await measuredBefore(woken, mine))) return;
    // Before its first iteration there is no run to go on with.
    await learn(woken, iterations, done > 0 || chosen.resume, mine);
  });
}

/** The twin as it was saved, where this tab has not got it. */
async function wake(): Promise<Agent> {
  if (learner) return learner;
  const number = acting;
  const woken = await twin();
  try {
    await woken.restore(SAVED).catch((error: unknown) => {
      // A page that was closed before the first iteration was saved has lost nothing but time.
      const lost = log.peek()?.outcome !== "learning" || troubleOf(error).code !== "not-found";
      if (lost) throw error;
    });
    if (acting !== number) throw new ArcherError("conflict", TAKEN, TAKEN_HINT);
  } catch (error) {
    await woken.dispose();
    throw error;
  }
  learner = woken;
  return woken;
}

async function currentBytes(): Promise<Uint8Array> {
  const current = agent.peek();
  if (!current) throw new Error("there is no agent yet");
  return current.export();
}

async function learn(learning: Agent, iterations: number, resume: boolean, mine: Mine): Promise<void> {
  if (!log.peek()) return;
  const { seed, games } = (log.peek() as Log).settings;
  const already = (log.peek() as Log).points.length;
  const evaluationGames = Math.min(info.peek()?.things.length || 50, 50);
  const tuning = learning.fineTune({ iterations, resume, ...(resume ? {} : { seed, games }), evaluateEvery: 5, evaluationGames });
  run = tuning;
  doing.value = "learning";
  announce(`Learning begins: ${count(iterations, "iteration")}.`);
  let savedAt = Number.NEGATIVE_INFINITY;
  for await (const update of tuning) {
    if (!mine()) return;
    note(update, already);
    if (performance.now() - savedAt > SAVE_EVERY_MS) {
      await keepSafe();
      savedAt = performance.now();
    }
  }
  if (!mine()) return;
  run = null;
  await keepSafe();
  if (!mine()) return;
  doing.value = "measuring after";
  const after = await learning.evaluate(FIXED_GAMES);
  if (!mine()) return;
  change({ after, outcome: "learned" });
  announce(
    `Learning is over. Mean return on the fixed games: before ${fixed(log.peek()?.before?.meanReturn ?? 0)}, after ${fixed(after.meanReturn)}.`,
  );
}

function note(update: FineTuneUpdate, already: number): void {
  change({ points: [...(log.peek()?.points ?? []), pointOf(update, already)] });
  const tested = update.evaluation;
  if (tested) announce(`Iteration ${already + update.iteration}: greedy play gets ${fixed(tested.meanReturn)}.`);
}

/** Saves the twin. A storage that refuses is no reason to stop learning: the page says so and goes on. */
async function keepSafe(): Promise<void> {
  const saving = learner;
  if (!saving || !owner.peek()) return;
  try {
    await saving.save(SAVED);
    if (learner === saving) trouble.value = null;
  } catch (error) {
    if (learner === saving) tell("What it learns could not be saved: it is lost when this tab closes.", error);
  }
}

function tell(what: string, error: unknown): void {
  const told = troubleOf(error);
  trouble.value = { ...told, message: `${what} ${told.message}` };
}

export async function pause(): Promise<void> {
  if (!run || doing.peek() !== "learning") return;
  doing.value = "pausing";
  await run.pause();
  if (doing.peek() !== "pausing") return;
  doing.value = "paused";
  announce("Paused.");
}

export function unpause(): void {
  if (doing.peek() !== "paused" && doing.peek() !== "pausing") return;
  run?.resume();
  doing.value = "learning";
  announce("It goes on.");
}

export function stop(): void {
  if (!run || doing.peek() === "stopping") return;
  run?.stop();
  doing.value = "stopping";
  announce("It stops. The iteration under way is given up.");
}

/** What was learned becomes the agent that plays. */
export async function keep(): Promise<void> {
  await watched(async (mine) => {
    doing.value = "settling";
    const file = await (await wake()).export();
    if (!mine()) return;
    await adopt(file);
    if (!mine()) return;
    change({ outcome: "kept" });
    await letGo();
    announce("Kept. This is the agent that plays now.");
  });
}

/** Forgets what was learned. */
export async function rollBack(): Promise<void> {
  await watched(async () => {
    doing.value = "settling";
    change({ outcome: "rolled back" });
    await letGo();
    announce("Rolled back. The agent plays as before.");
  });
}

/** The file of the agent that learns where there is one, else of the one that plays. */
export async function exported(): Promise<Uint8Array> {
  return undecided() ? (await wake()).export() : currentBytes();
}

/** Whether there is something learned that was neither kept nor rolled back. */
export const undecided = (): boolean => log.value?.outcome === "learning" || log.value?.outcome === "learned";

async function letGo(): Promise<void> {
  const old = learner;
  learner = null;
  try {
    if (owner.peek()) await agent.peek()?.forget(SAVED);
  } catch (error) {
    tell("What was saved of the last fine-tune could not be removed.", error);
  }
  await old?.dispose();
}

async function watched(action: (mine: Mine) => Promise<void>): Promise<void> {
  acting += 1;
  const number = acting;
  const mine = () => acting === number;
  trouble.value = null;
  try {
    await action(mine);
  } catch (error) {
    if (mine()) trouble.value = troubleOf(error);
  }
  if (!mine()) return;
  run = null;
  doing.value = null;
}

/** Ends at once whatever goes on here: what learns is another tab's from now on, or was it all the time. */
export function giveWay(): void {
  acting += 1;
  const old = learner;
  run?.stop();
  run = null;
  learner = null;
  doing.value = null;
  void old?.dispose();
}

// Another tab has taken over: it has the saved twin now, and this one must not go on beside it.
effect(() => {
  if (owner.value !== false || doing.peek() === null) return;
  giveWay();
  log.value = null;
  trouble.value = { code: "conflict", message: TAKEN, hint: TAKEN_HINT };
});
