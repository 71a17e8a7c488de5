// One fine-tune: what is asked for, what it has shown so far, and how it goes on, stops and is kept.
// It learns on a twin of the playing agent in a worker of its own, so playing never waits for learning, and
// to roll back is to let the twin go. The twin is saved as it learns: a closed tab loses seconds.
import { type Agent, ArcherError, type Evaluation, type FineTune, type FineTuneUpdate, type WorldSource } from "archer-web";
import { info as gamesInfo, worldOf } from "archer-web/twenty-questions";
import { computed, effect, signal } from "@preact/signals";
import imitator from "../../models/imitator.archer?url";
import { adopt, agent, guessing, heavy, HEAVY_RUN, info, supplied, twin } from "../agent";
import { count, fixed } from "../format";
import { kept, onOtherTab, shaped } from "../kept";
import { owner } from "../tabs";
import { type Trouble, troubleOf } from "../trouble";
import { announce } from "../ui/announce";
import { changeOf, filled, type Kind, type Lesson, lesson, setLesson, shownThing, subject } from "./lesson";
import { type Point, pointOf } from "./point";
import { playedAbout, type Sample } from "./sample";

const SAVED = "training";
const SAVE_EVERY_MS = 10_000;
const TAKEN = "Another tab has taken over this fine-tune.";
const TAKEN_HINT = "Continue there, or use archer in this tab again.";
/** Fixed games before and after, so many at least: greedy, as a visitor meets the agent. The same thing is the same game. */
const FIXED_GAMES = 40;
/** The same of a language model, which takes seconds for each. */
const HEAVY_GAMES = 8;
/** The same of the imitator: sampled, for what it lacks is to be sure, and that is what the curve shows. */
const SAMPLED_GAMES = 200;
/** What teaches the imitator to play: higher rates than those of a fine-tune, and a looser hold on what it imitated. */
const FROM_THE_BEGINNING = { lm_lr: 1.5e-4, critic_lr: 7e-4, kl_coef: 0.1, epochs: 30, actor_epochs: 4, warmup_iter: 2 };

export interface Settings {
  iterations: number;
  seed: number;
  games: number;
  /** Continues the run in the model file, with its own seed and sizes. */
  resume: boolean;
}

/** What is asked of one run: the settings, and what is to be learned. */
interface Wanted extends Settings {
  lesson: Lesson;
}

export type Outcome = "learning" | "learned" | "kept" | "rolled back";

/** What a fine-tune has shown. */
export interface Log {
  settings: Wanted;
  /** Iterations that the agent had behind it when the fine-tune began. */
  base: number;
  /** Of these, so many are in what was saved last: what a closed tab leaves. */
  saved: number;
  /** The best mean return in the world that is learned, where it is known. */
  best: number | null;
  points: Point[];
  before: Evaluation | null;
  after: Evaluation | null;
  sample: Sample;
  outcome: Outcome;
}

/** How much suits the imitator, who learns all of the game, and an agent that learns one thing more. */
const SIZES = { beginning: { iterations: 40, games: 128 }, others: { iterations: 20, games: 64 }, heavy: { iterations: 5, games: 8 } };

/** Chooses what is learned, and as much of it as that takes. */
export function choose(kind: Kind): void {
  setLesson({ kind });
  const sizes = kind === "beginning" ? SIZES.beginning : heavy(info.peek()) ? SIZES.heavy : SIZES.others;
  settings.value = { ...settings.peek(), ...sizes };
}

/** What there is to learn: a model of the visitor's own has no imitator, and a world without things has none to learn of. */
export const kinds = computed<Kind[]>(() => {
  const known: Kind[] = (guessing.value?.things.length ?? 0) > 0 ? ["often", "opinion", "new", "practice"] : ["practice"];
  return supplied.value === "own" ? known : ["beginning", "often", "opinion", "new", "practice"];
});

/** Whether the playing agent's world is known here, so that it can be trained in it. */
export const teachable = (): boolean => info.value === null || guessing.value !== null;

/** Chooses what suits a model that was just brought. */
export function suitsOwn(): void {
  log.value = null; // its curves are those of the other agent
  choose("practice");
}

// What was chosen for another agent may not be there for this one.
effect(() => {
  if (agent.value && supplied.value === "own" && !kinds.value.includes(lesson.value.kind)) choose("practice");
});

export const settings = kept<Settings>(
  "settings",
  { ...SIZES.beginning, seed: 1, resume: false },
  (value): value is Settings => shaped(value, { iterations: "number", seed: "number", games: "number", resume: "boolean" }),
);

export const log = kept<Log | null>(
  "learning",
  null,
  (value): value is Log | null =>
    value === null ||
    shaped(value, { settings: "object", points: "array", outcome: "string", base: "number", saved: "number", sample: "object" }),
);

/** What another tab is learning, as far as it has written it down. */
export const elsewhere = signal<Log | null>(null);

/** What goes on now: nothing, or one of these. */
export type Doing = "preparing" | "measuring before" | "learning" | "pausing" | "paused" | "stopping" | "measuring after" | "settling";
export const doing = signal<Doing | null>(null);
export const trouble = signal<Trouble | null>(null);
/** When the iteration under way began, by the page's clock. */
export const begunAt = signal(0);
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

/** Begins a fine-tune: of the playing agent, or of the imitator. */
export async function start(): Promise<void> {
  const current = info.peek();
  if (doing.peek() || !agent.peek() || !current) return;
  await watched(async (mine) => {
    doing.value = "preparing";
    const beginning = lesson.peek().kind === "beginning";
    await letGo();
    const made = await twin(beginning ? imitator : undefined);
    const game = await gamesInfo(made).catch(async (error: unknown) => {
      await made.dispose();
      throw error;
    });
    if (!mine()) return made.dispose();
    learner = made;
    const chosen = filled(lesson.peek(), game);
    const resume = settings.peek().resume && chosen.kind === "practice";
    log.value = {
      settings: { ...settings.peek(), resume, lesson: chosen },
      base: made.info.trained.iterations,
      saved: 0,
      best: game.optimumReturn,
      points: [],
      before: null,
      after: null,
      sample: { thing: shownThing(chosen, game), before: null, after: null },
      outcome: "learning",
    };
    await begun(made, resume, mine);
  });
}

/** From the fixed games before to those after; what cannot be learned leaves nothing behind. */
async function begun(made: Agent, resume: boolean, mine: Mine): Promise<void> {
  try {
    if (await measuredBefore(made, mine)) await learn(made, { done: 0, resume }, mine);
  } catch (error) {
    if (mine() && log.peek()?.points.length === 0) {
      await letGo();
      log.value = null;
    }
    throw error;
  }
}

/** The fixed games: every thing of the world as often as it comes up. */
async function measured(learning: Agent, wanted: Lesson): Promise<Evaluation> {
  if (wanted.kind === "beginning") return learning.evaluate({ games: SAMPLED_GAMES, seed: 7, sample: true });
  if (heavy(learning.info)) return learning.evaluate({ games: HEAVY_GAMES, seed: 7 });
  const world = await changed(wanted, learning);
  const things = (await gamesInfo(learning)).things.length || 1;
  const games = things * Math.max(1, Math.ceil(FIXED_GAMES / things));
  return learning.evaluate({ games, seed: 7, ...(world && { world }) });
}

/** The world of a lesson; nothing where it is the learner's own. */
async function changed(wanted: Lesson, learning: Agent): Promise<WorldSource | undefined> {
  const change = changeOf(wanted, await gamesInfo(learning));
  return change && worldOf(learning, change);
}

/** Plays the fixed games before anything is learned; whether to continue. */
async function measuredBefore(learning: Agent, mine: Mine): Promise<boolean> {
  doing.value = "measuring before";
  const { settings: wanted, sample } = log.peek() as Log;
  const before = await measured(learning, wanted.lesson);
  const oracle = learning;
  // Of a changed world the first game waits until there is somebody who can answer for it.
  const game = changeOf(wanted.lesson, await gamesInfo(learning)) ? null : await playedAbout(sample.thing, { asker: learning, oracle, still: mine });
  if (!mine()) return false;
  change({ before, sample: { ...sample, before: game } });
  return true;
}

/** Finishes a fine-tune that was interrupted, or does more of one that was ended. */
export async function goOn(how: "finish" | "more"): Promise<void> {
  if (doing.peek() || !log.peek()) return;
  await watched(async (mine) => {
    doing.value = "preparing";
    const { settings: chosen, points, base, before } = log.peek() as Log;
    const woken = await wake();
    if (!mine()) return;
    // It was saved now and then: what came after the last time is lost, and its points with it.
    const done = Math.max(0, woken.info.trained.iterations - base);
    const all = how === "finish" ? Math.max(chosen.iterations, done) : done + settings.peek().iterations;
    const left = points.filter((point) => point.iteration <= done);
    change({ outcome: "learning", after: null, saved: done, points: left, settings: { ...chosen, iterations: all } });
    if (done === 0 && !before && !(await measuredBefore(woken, mine))) return;
    // Before its first iteration there is no run to continue.
    await learn(woken, { done, resume: done > 0 || chosen.resume }, mine);
  });
}

/** The twin as it was saved, where this tab has not got it. */
async function wake(): Promise<Agent> {
  if (learner) return learner;
  const number = acting;
  const woken = await twin(log.peek()?.settings.lesson.kind === "beginning" ? imitator : undefined);
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

/** Learns from the iteration after `done` to the last, and plays the fixed games again. */
async function learn(learning: Agent, { done, resume }: { done: number; resume: boolean }, mine: Mine): Promise<void> {
  if (!log.peek()) return;
  const { iterations: all, seed, games, lesson: chosen } = (log.peek() as Log).settings;
  const iterations = all - done;
  if (iterations > 0) {
    const tuning = learning.fineTune({
      iterations,
      resume,
      ...(resume ? {} : await freshRun(chosen, learning, { seed, games })),
      evaluateEvery: heavy(learning.info) ? 0 : 5,
      evaluationGames: Math.min((await gamesInfo(learning)).things.length || 50, 50),
    });
    run = tuning;
    doing.value = "learning";
    begunAt.value = performance.now();
    announce(`Learning ${subject(chosen)}: ${count(iterations, "iteration")}.`);
    if (!(await followed(learning, tuning, done, mine))) return;
    run = null;
    await keepSafe();
    if (!mine()) return;
  }
  doing.value = "measuring after";
  const { sample } = log.peek() as Log;
  const after = await measuredAfter(learning);
  const game = await playedAbout(sample.thing, { asker: learning, oracle: learning, still: mine });
  if (!mine()) return;
  change({ after, sample: { ...(log.peek() as Log).sample, after: game }, outcome: "learned" });
  announce(
    `Training is over. Average score on the same games: before ${fixed(log.peek()?.before?.meanReturn ?? 0)}, after ${fixed(after.meanReturn)}.`,
  );
}

/** What a run is told that is not continued. */
async function freshRun(chosen: Lesson, learning: Agent, sizes: { seed: number; games: number }) {
  const world = await changed(chosen, learning);
  const set = chosen.kind === "beginning" ? FROM_THE_BEGINNING : heavy(learning.info) ? HEAVY_RUN : null;
  return { ...sizes, ...(world && { world }), ...(set && { set }) };
}

/** The fixed games in the world as the learner has it by now. */
async function measuredAfter(learning: Agent): Promise<Evaluation> {
  const { before, settings: wanted } = log.peek() as Log;
  return learning.evaluate({ games: before?.games ?? FIXED_GAMES, seed: 7, sample: wanted.lesson.kind === "beginning" });
}

/** Notes every iteration; whether it came to its end. */
async function followed(learning: Agent, tuning: FineTune, done: number, mine: Mine): Promise<boolean> {
  let savedAt = Number.NEGATIVE_INFINITY;
  for await (const update of tuning) {
    if (!mine()) return false;
    note(update, done);
    begunAt.value = performance.now();
    if (performance.now() - savedAt > SAVE_EVERY_MS) {
      await keepSafe();
      savedAt = performance.now();
    }
    await playedBefore(learning, mine);
  }
  return mine();
}

/** The game before, in a changed world: the agent that plays asks, and the world that is learned answers. */
async function playedBefore(learning: Agent, mine: Mine): Promise<void> {
  const current = agent.peek();
  const sample = log.peek()?.sample;
  if (!current || !sample || sample.before) return;
  const before = await playedAbout(sample.thing, { asker: current, oracle: learning, still: mine });
  if (mine()) change({ sample: { ...sample, before } });
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
    // A language model itself stays as it was brought, so only what it learned is saved.
    await saving.save(SAVED, { base: false });
    if (learner !== saving) return;
    trouble.value = null;
    change({ saved: log.peek()?.points.length ?? 0 });
  } catch (error) {
    if (learner === saving) tell("What it learns could not be saved, so it is lost when this tab closes.", error);
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
  announce("Resumed.");
}

export function stop(): void {
  if (!run || doing.peek() === "stopping") return;
  run?.stop();
  doing.value = "stopping";
  announce("Stopping. The current iteration is discarded.");
}

/** What was learned becomes the agent that plays. */
export async function keep(): Promise<void> {
  await watched(async (mine) => {
    doing.value = "settling";
    // The networks alone: the memory of the run is many times their size, and would be read at each visit.
    const file = await (await wake()).export({ training: false });
    if (!mine()) return;
    await adopt(file, log.peek()?.settings.lesson.kind === "beginning" ? "10" : undefined);
    if (!mine()) return;
    change({ outcome: "kept" });
    await letGo();
    announce("Kept. This agent plays now.");
  });
}

/** Forgets what was learned. */
export async function rollBack(): Promise<void> {
  await watched(async () => {
    doing.value = "settling";
    change({ outcome: "rolled back" });
    await letGo();
    announce("Discarded. The agent plays as before.");
  });
}

/** The file of the agent that learns where there is one, else of the one that plays; with the run's memory where that is wanted. */
export async function exported(training: boolean): Promise<Uint8Array> {
  const from = undecided() ? await wake() : agent.peek();
  if (!from) throw new Error("there is no agent yet");
  return from.export({ training });
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

// Another tab owns what is kept. What it learns is its own affair: here it is only told.
effect(() => {
  if (owner.value !== false) {
    elsewhere.value = null;
    return;
  }
  if (doing.peek() !== null) {
    giveWay();
    trouble.value = { code: "conflict", message: TAKEN, hint: TAKEN_HINT };
  }
  elsewhere.value = log.peek();
  log.value = null;
});
onOtherTab("learning", (value) => {
  if (owner.peek() === false) elsewhere.value = value as Log | null;
});
