// The agent that plays: loaded once, kept in this browser, replaced by an import or by what was learned.
// (A fine-tune runs on an agent of its own, see learn/, so that playing never waits for learning.)
import { type Agent, ArcherError, type BackendChoice, type BackendReport, keptModels, type LoadProgress, load, type ModelInfo, models } from "archer-web";
import { type GamesInfo, info as gamesInfo, worldOf } from "archer-web/twenty-questions";
import { effect, signal } from "@preact/signals";
import { fetchThere } from "./door";
import { learnNouns } from "./format";
import { kept, oneOf, shaped } from "./kept";
import { forgetOwnFile, ownFile, storeOwnFile } from "./own-file";
import { owner } from "./tabs";
import { type Trouble, troubleOf } from "./trouble";
import { confinedWorker } from "./worker";

/** The agents that come with the page, by how many things they know; and the one that the visitor brought. */
export type Supplied = "157" | "10" | "own";

/** Which of them plays, or was what plays before it learned or was replaced. */
export const supplied = kept<Supplied>("supplied", "157", oneOf("157", "10", "own"), "tab");

/** What the visitor brought. */
export interface Brought {
  name: string;
  /** Where it was fetched from; nothing where it is a file, or has learned since. */
  address: string | null;
  /** What its world says first, where the file tells. */
  opening: string | null;
}

/** The visitor's own model, as long as it can be loaded again. */
export const brought = kept<Brought | null>(
  "brought",
  null,
  (value): value is Brought | null => value === null || shaped(value, { name: "string" }),
  "tab",
);

/** From this many bytes on, a model is not copied, measured or saved as lightly as the small ones. */
const HEAVY = 16e6;
export const heavy = (model: ModelInfo | null): boolean => (model?.bytes ?? 0) >= HEAVY;

/**
 * What a fine-tune of a heavy model is told: fewer and smaller steps. Those of a small network would take a language model
 * of 135 million weights more than ten minutes an iteration.
 */
export const HEAVY_RUN = { epochs: 2, actor_epochs: 1, actor_samples: 1, advantage_baseline: "value", batch_size: 8, warmup_iter: 1 };

const MODELS = { "157": models.twentyQuestions, "10": models.quickstart } as const;

/** The name under which the playing agent is kept: each that comes with the page has a place of its own. */
const keptAs = (): string => `agent ${supplied.peek()}`;

export const agent = signal<Agent | null>(null);
export const info = signal<ModelInfo | null>(null);
/** What there is in the guessing game that it plays; nothing where it plays another world. */
export const guessing = signal<GamesInfo | null>(null);
export const backend = signal<BackendReport | null>(null);
export const progress = signal<LoadProgress | null>(null);
export const trouble = signal<Trouble | null>(null);
/** Tokens a second over the last questions written: what the person really gets. */
export const writingSpeed = signal<number | null>(null);
/** Rises when another model has taken the old one's place: games begin anew. */
export const generation = signal(0);

export const choice = kept<BackendChoice>("backend", "auto", oneOf("auto", "cpu", "webgpu"));

/** Whether the model plays Twenty Questions, the one world in which a person has something to answer. */
export const playable = (): boolean => (info.value?.world ?? "twenty_questions") === "twenty_questions";

/** Who plays from now on: the first agent of this visit, the same one elsewhere, or another. */
export type Arrival = "first" | "same" | "another";
let arrival: Arrival = "first";

/** Calls back when an agent has come, and whenever a model has taken its place: a game goes on with it. */
export function onAgent(serve: (how: Arrival) => void): void {
  let served: number | null = null;
  effect(() => {
    if (!agent.value || served === generation.value) return;
    served = generation.value;
    serve(arrival);
  });
}

function arrived(how: Arrival): void {
  arrival = how;
  generation.value += 1;
}

async function loadOnto(backendChoice: BackendChoice, model?: Uint8Array | Blob, signal?: AbortSignal): Promise<Agent> {
  return load({
    backend: backendChoice,
    worker: confinedWorker,
    onProgress: (now) => (progress.value = now),
    model: model ?? (await suppliedModel()),
    world: worldOf,
    ...(signal && { signal }),
  });
}

/** The file of the agent that is chosen, as it was before it learned here. */
async function suppliedModel(): Promise<URL | Blob> {
  const which = supplied.peek();
  if (which !== "own") return MODELS[which];
  const from = brought.peek();
  if (from?.address) {
    const tell = (loaded: number, total: number | null) => (progress.value = { stage: "fetch", loaded, total, message: "Fetching your model." });
    own = await fetchThere(from.address, { signal: new AbortController().signal, onProgress: tell });
  } else {
    own = await ownFile();
  }
  if (own) return own as Blob;
  throw new ArcherError("not-found", "Your model is not in this browser any more.", "Choose its file again (“Bring your model”), or play with another agent.");
}

/** The first questions of an agent are slower than all that follow: what computes is still warming up. */
const COLD_QUESTIONS = 2;
/** So many questions make the speed: it is that of now, not of an hour ago. */
const RECENT_QUESTIONS = 10;

let written: { tokens: number; ms: number }[] = [];
let cold = COLD_QUESTIONS;

/** Counts a question into the speed: the tokens after its first one, and how long they took. */
export function wrote(tokens: number, ms: number): void {
  if (cold > 0) {
    cold -= 1;
    return;
  }
  written = [...written, { tokens, ms }].slice(-RECENT_QUESTIONS);
  const sum = (of: "tokens" | "ms") => written.reduce((total, question) => total + question[of], 0);
  writingSpeed.value = (1000 * sum("tokens")) / Math.max(sum("ms"), 1);
}

/** Of which of the page's agents the one that plays has its place. */
let plays: Supplied = supplied.peek();
/** The file that plays instead of what is kept, as it came. */
let own: Uint8Array | Blob | null = null;

let unhear = () => {};

/** What there is in the guessing game of an agent, where it plays one. */
async function guessingOf(loaded: Agent): Promise<GamesInfo | null> {
  try {
    const game = await gamesInfo(loaded);
    learnNouns(game.things, game.named);
    return game;
  } catch (error) {
    if (troubleOf(error).code === "usage") return null;
    throw error;
  }
}

async function settle(loaded: Agent): Promise<void> {
  const game = await guessingOf(loaded);
  written = [];
  cold = COLD_QUESTIONS;
  writingSpeed.value = null;
  plays = supplied.peek();
  // Whoever waits for the agent looks at what is in its game.
  guessing.value = game;
  info.value = loaded.info;
  agent.value = loaded;
  backend.value = loaded.backend;
  progress.value = null;
  unhear();
  unhear = loaded.onBackendChange((report) => (backend.value = report));
}

/** Whether the agent is being loaded, moved or replaced: one of these at a time. */
export const moving = signal(false);

async function alone(action: () => Promise<void>): Promise<void> {
  if (moving.peek()) return;
  moving.value = true;
  trouble.value = null;
  try {
    await action();
  } finally {
    moving.value = false;
  }
}

/** Loads the agent: the kept one where there is one, else the one that comes with the page. */
export const begin = (): Promise<void> => alone(() => arrive(true));

async function arrive(restoring: boolean): Promise<void> {
  own = null;
  try {
    const loaded = await loadOnto(choice.value);
    if (restoring) await restoreInto(loaded);
    await settle(loaded);
  } catch (error) {
    progress.value = null;
    trouble.value = troubleOf(error);
  }
}

async function restoreInto(loaded: Agent): Promise<void> {
  // What the visitor brought is kept as a file, and loaded as what it is by now.
  if (supplied.peek() === "own") return;
  try {
    await loaded.restore(keptAs());
  } catch (error) {
    const told = troubleOf(error);
    if (told.code === "not-found" || told.code === "storage") return;
    trouble.value = { ...told, message: `The agent saved in this browser could not be read. ${told.message}` };
  }
}

/** Reads the kept agent again, after another tab may have changed it. */
export async function readAgain(): Promise<void> {
  const current = agent.peek();
  if (!current) return;
  if (plays !== supplied.peek() || plays === "own") return switchTo(supplied.peek());
  await restoreInto(current);
  await replaced(current, "same");
}

async function replaced(current: Agent, how: Arrival): Promise<void> {
  guessing.value = await guessingOf(current);
  info.value = current.info;
  arrived(how);
}

/** Moves the same agent to another backend; where none could be loaded, tries that one. */
export const moveTo = (backendChoice: BackendChoice): Promise<void> =>
  alone(async () => {
    choice.value = backendChoice;
    const old = agent.peek();
    if (!old) return arrive(true);
    try {
      // The file as it came: to export it anew would cost its precision or its smallness.
      agent.value = null;
      const loaded = await loadOnto(backendChoice, own ?? undefined);
      if (!own) await restoreInto(loaded);
      await settle(loaded);
      arrived("same");
      await old.dispose();
    } catch (error) {
      await settle(old);
      trouble.value = troubleOf(error);
    }
  });

/**
 * Makes a model file the playing agent, and keeps it, in the place of the one of the page's agents that is named. Throws
 * what the package throws, and then nothing has changed; where it plays and could only not be kept, the page says so.
 */
export async function adopt(given: Blob | Uint8Array, as: Supplied = supplied.peek(), another = false): Promise<void> {
  const current = agent.peek();
  if (!current) return;
  const file = as === "own" && !(given instanceof Blob) ? new Blob([given as Uint8Array<ArrayBuffer>]) : given;
  await current.import(file);
  own = file;
  supplied.value = plays = as;
  await replaced(current, "another");
  if (as === "own") await keepOwn(file as Blob, brought.peek()?.name ?? "Your model", another);
  else if (owner.peek()) await current.save(keptAs()).catch(notSaved);
}

function notSaved(error: unknown): void {
  const told = troubleOf(error);
  trouble.value = { ...told, message: `It plays now, but it could not be saved in this browser. ${told.message}` };
}

/**
 * Keeps the file of the visitor's own model for the next visit; what it was fetched from is not it any more. `another`:
 * it is not the one from before that has learned.
 */
async function keepOwn(file: Blob, name: string, another: boolean): Promise<void> {
  const opening = brought.peek()?.opening ?? null;
  brought.value = { name, address: null, opening };
  if (!owner.peek()) return;
  try {
    const given = own;
    await storeOwnFile(file);
    // As it lies there, so that none of it stays in this page's memory.
    if (own === given) own = (await ownFile()) ?? own;
  } catch (cause) {
    // One from before must not come back under this one's name.
    if (another) await forgetOwnFile();
    notSaved(new ArcherError("storage", "The browser has no room for it, or offers none.", "It plays until this tab closes. Keep its file.", { cause }));
  }
}

/** Whether a large file has an address and is not kept by it: its server says too little of it, or there was no room. */
async function isLost(address: string, file: Blob): Promise<boolean> {
  if (file.size < HEAVY) return false;
  const all = await keptModels().catch(() => []);
  return !all.some((one) => one.address === address && one.arrived === one.bytes);
}

/**
 * Lets a model that the visitor brought play. What played before goes on where this one cannot be loaded, and the error
 * is thrown. A large one that plays makes room first: hardly a device has room for two.
 */
export async function bring(file: Blob, from: Brought, signal: AbortSignal): Promise<void> {
  if (moving.peek()) return;
  moving.value = true;
  trouble.value = null;
  const old = agent.peek();
  const makesRoom = heavy(info.peek());
  const before = [own, brought.peek(), supplied.peek()] as const;
  let loaded: Agent | null = null;
  try {
    if (makesRoom) {
      agent.value = null;
      await old?.dispose();
    }
    loaded = await loadOnto(choice.peek(), file, signal);
    own = file;
    brought.value = from;
    supplied.value = "own";
    await settle(loaded);
    arrived("another");
    if (!makesRoom) await old?.dispose();
    if (from.address === null || (await isLost(from.address, file))) await keepOwn(file, from.name, true);
    else if (owner.peek()) await forgetOwnFile();
  } catch (error) {
    progress.value = null;
    if (loaded && agent.peek() !== loaded) {
      [own, brought.value, supplied.value] = before;
      await loaded.dispose();
    }
    if (makesRoom && !agent.peek()) await arrive(true);
    throw error;
  } finally {
    moving.value = false;
  }
}

/** Lets the other agent that comes with the page play, as it was kept here. */
export const switchTo = (which: Supplied): Promise<void> =>
  alone(async () => {
    const old = agent.peek();
    supplied.value = which;
    agent.value = null;
    await old?.dispose();
    await arrive(true);
    arrived("another");
  });

/** Goes back to the agent that came with the page. */
export const reset = (): Promise<void> =>
  alone(async () => {
    const old = agent.peek();
    if (!old) return;
    const stays = owner.peek() ? await forgetPlaying(old).then(() => null, troubleOf) : null;
    if (supplied.peek() === "own") [supplied.value, brought.value] = ["157", null];
    agent.value = null;
    await old.dispose();
    // Not what is kept: a guest leaves that alone, and does not want it either.
    await arrive(false);
    arrived("another");
    if (stays && !trouble.peek()) {
      trouble.value = { ...stays, message: `It plays now, but the other one is still saved in this browser. ${stays.message}` };
    }
  });

async function forgetPlaying(playing: Agent): Promise<void> {
  if (supplied.peek() === "own") await forgetOwnFile();
  else await playing.forget(keptAs());
}

/** An agent of its own, on the same backend, for learning: a copy of the one that plays, or one made from a file. */
export async function twin(file?: URL | string): Promise<Agent> {
  const current = agent.peek();
  if (!current) throw new Error("there is no agent yet");
  // What was brought is as it came: nobody must hold a copy of it meanwhile.
  const model = file ?? (supplied.peek() === "own" ? own : null) ?? (await current.export());
  return load({ model, backend: current.backend.backend, worker: confinedWorker, world: worldOf });
}
