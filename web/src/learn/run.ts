// One fine-tune: what is asked for, what it has shown so far, and how it goes on, stops and is kept.
// It learns on a twin of the playing agent in a worker of its own, so playing never waits for learning, and
// to roll back is to let the twin go. The twin is saved as it learns: a closed tab loses seconds.
import type { Agent, Evaluation, FineTune, FineTuneUpdate } from "archer-web";
import { computed, effect, signal } from "@preact/signals";
import { adopt, agent, info, twin } from "../agent";
import { count, fixed } from "../format";
import { kept, shaped } from "../kept";
import { owner } from "../tabs";
import type { Trouble } from "../trouble";
import { guarded } from "../turnstile";
import { announce } from "../ui/announce";
import { type Point, pointOf } from "./point";

const SAVED = "training";
const SAVE_EVERY_MS = 10_000;
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
  { iterations: 20, seed: 1, games: 32, resume: false },
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

function change(part: Partial<Log>): void {
  if (log.peek()) log.value = { ...(log.peek() as Log), ...part };
}

/** Begins a fine-tune of the playing agent. */
export async function start(): Promise<void> {
  if (doing.peek() || !agent.peek()) return;
  await watched(async () => {
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
    learner = await twin();
    doing.value = "measuring before";
    change({ before: await learner.evaluate(FIXED_GAMES) });
    await learn(chosen.iterations, chosen.resume);
  });
}

/** Goes on with a fine-tune that was interrupted, or does more of one that was stopped. */
export async function goOn(iterations: number): Promise<void> {
  if (doing.peek() || !log.peek()) return;
  await watched(async () => {
    doing.value = "preparing";
    const { settings: chosen, points, base } = log.peek() as Log;
    const woken = await wake();
    // It was saved now and then: what came after the last time is lost, and its points with it.
    const done = woken.info.trained.iterations - base;
    const all = done + iterations;
    const left = points.filter((point) => point.iteration <= done);
    change({ outcome: "learning", after: null, points: left, settings: { ...chosen, iterations: all } });
    await learn(iterations, true);
  });
}

/** The twin as it was saved, where this tab has not got it. */
async function wake(): Promise<Agent> {
  if (learner) return learner;
  const woken = await twin();
  await woken.restore(SAVED);
  learner = woken;
  return woken;
}

async function currentBytes(): Promise<Uint8Array> {
  const current = agent.peek();
  if (!current) throw new Error("there is no agent yet");
  return current.export();
}

async function learn(iterations: number, resume: boolean): Promise<void> {
  if (!learner || !log.peek()) return;
  const { seed, games } = (log.peek() as Log).settings;
  const already = (log.peek() as Log).points.length;
  const evaluationGames = Math.min(info.peek()?.things.length || 50, 50);
  run = learner.fineTune({ iterations, resume, ...(resume ? {} : { seed, games }), evaluateEvery: 5, evaluationGames });
  doing.value = "learning";
  announce(`Learning begins: ${count(iterations, "iteration")}.`);
  let savedAt = Number.NEGATIVE_INFINITY;
  for await (const update of run) {
    note(update, already);
    if (performance.now() - savedAt > SAVE_EVERY_MS) {
      await keepSafe();
      savedAt = performance.now();
    }
  }
  run = null;
  await keepSafe();
  doing.value = "measuring after";
  const after = await learner.evaluate(FIXED_GAMES);
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

async function keepSafe(): Promise<void> {
  if (owner.peek()) await learner?.save(SAVED);
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
  await watched(async () => {
    doing.value = "settling";
    const learned = await wake();
    await adopt(await learned.export());
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
  if (owner.peek()) await agent.peek()?.forget(SAVED);
  await old?.dispose();
}

async function watched(action: () => Promise<void>): Promise<void> {
  await guarded(trouble, action);
  run = null;
  doing.value = null;
}

// Another tab has taken over: it has the saved twin now, and this one must not go on beside it.
effect(() => {
  if (owner.value === false && run) stop();
});
