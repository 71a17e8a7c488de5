// The agent that plays: loaded once, kept in this browser, replaced by an import or by what was learned.
// (A fine-tune runs on an agent of its own, see learn/, so that playing never waits for learning.)
import { type Agent, type BackendChoice, type BackendReport, type LoadProgress, load, type ModelInfo } from "archer-web";
import { effect, signal } from "@preact/signals";
import { kept, oneOf } from "./kept";
import { owner } from "./tabs";
import { type Trouble, troubleOf } from "./trouble";
import { confinedWorker } from "./worker";

/** The name under which the playing agent is kept. */
const KEPT = "agent";

export const agent = signal<Agent | null>(null);
export const info = signal<ModelInfo | null>(null);
export const backend = signal<BackendReport | null>(null);
export const progress = signal<LoadProgress | null>(null);
export const trouble = signal<Trouble | null>(null);
/** Tokens a second over the questions written since the agent was loaded: what the person really gets. */
export const writingSpeed = signal<number | null>(null);
/** Rises when another model has taken the old one's place: games begin anew. */
export const generation = signal(0);

export const choice = kept<BackendChoice>("backend", "auto", oneOf("auto", "cpu", "webgpu"));

/** Whether the model plays Twenty Questions, the one world in which a person has something to answer. */
export const playable = (): boolean => (info.value?.world ?? "twenty_questions") === "twenty_questions";

/** Calls back when an agent has come, and whenever another model has taken its place: a game goes on with it. */
export function onAgent(serve: () => void): void {
  let served: number | null = null;
  effect(() => {
    if (!agent.value || served === generation.value) return;
    served = generation.value;
    serve();
  });
}

async function loadOnto(backendChoice: BackendChoice, model?: Uint8Array): Promise<Agent> {
  return load({
    backend: backendChoice,
    worker: confinedWorker,
    onProgress: (now) => (progress.value = now),
    ...(model ? { model } : {}),
  });
}

let written = { tokens: 0, ms: 0 };

/** Counts a question of so many tokens into the speed. */
export function wrote(tokens: number, ms: number): void {
  written = { tokens: written.tokens + tokens, ms: written.ms + ms };
  writingSpeed.value = (1000 * written.tokens) / Math.max(written.ms, 1);
}

function settle(loaded: Agent): void {
  written = { tokens: 0, ms: 0 };
  writingSpeed.value = null;
  agent.value = loaded;
  info.value = loaded.info;
  backend.value = loaded.backend;
  progress.value = null;
  loaded.onBackendChange((report) => (backend.value = report));
}

/** Loads the agent: the kept one where there is one, else the one that comes with the page. */
export async function begin(): Promise<void> {
  trouble.value = null;
  try {
    const loaded = await loadOnto(choice.value);
    await restoreInto(loaded);
    settle(loaded);
  } catch (error) {
    progress.value = null;
    trouble.value = troubleOf(error);
  }
}

async function restoreInto(loaded: Agent): Promise<void> {
  try {
    await loaded.restore(KEPT);
  } catch (error) {
    const told = troubleOf(error);
    if (told.code === "not-found" || told.code === "storage") return;
    trouble.value = { ...told, message: `The agent kept in this browser could not be read. ${told.message}` };
  }
}

/** Reads the kept agent again, after another tab may have changed it. */
export async function readAgain(): Promise<void> {
  const current = agent.peek();
  if (!current) return;
  await restoreInto(current);
  replaced(current);
}

function replaced(current: Agent): void {
  info.value = current.info;
  generation.value += 1;
}

/** Moves the same agent to another backend. */
export async function moveTo(backendChoice: BackendChoice): Promise<void> {
  const old = agent.peek();
  if (!old) return;
  choice.value = backendChoice;
  trouble.value = null;
  try {
    const bytes = await old.export();
    agent.value = null;
    const loaded = await loadOnto(backendChoice, bytes);
    settle(loaded);
    generation.value += 1;
    await old.dispose();
  } catch (error) {
    settle(old);
    trouble.value = troubleOf(error);
  }
}

/** Makes a model file the playing agent, and keeps it. Throws what the package throws; then nothing has changed. */
export async function adopt(file: Blob | Uint8Array): Promise<void> {
  const current = agent.peek();
  if (!current) return;
  await current.import(file);
  replaced(current);
  if (owner.peek()) await current.save(KEPT);
}

/** Goes back to the agent that came with the page. */
export async function reset(): Promise<void> {
  const old = agent.peek();
  if (!old) return;
  if (owner.peek()) await old.forget(KEPT);
  agent.value = null;
  await old.dispose();
  await begin();
  generation.value += 1;
}

/** An agent of its own, of the same model on the same backend, for learning. */
export async function twin(): Promise<Agent> {
  const current = agent.peek();
  if (!current) throw new Error("there is no agent yet");
  const model = await current.export();
  return load({ model, backend: current.backend.backend, worker: confinedWorker });
}
