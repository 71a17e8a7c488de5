/** Which backend computes. For small models that is often the CPU, so `auto` measures and does not assume. */
import type { Engine, Start, StartOptions } from "./engine.js";
import { ArcherError, asArcherError, faultOf, firstLine } from "./errors.js";
import { hasSimd, type Program } from "./fetch.js";
import { isLanguageModel, isModelFile } from "./model-file.js";
import { hasWorkers, present, timeout } from "./runtime.js";
import { hasIndexedDb } from "./store.js";
import type { RawProgress } from "./progress.js";
import type { Backend, BackendChoice, BackendReport, BackendSpeed, Capabilities, LoadOptions, ModelInfo, Store } from "./types.js";

/** The package's, put in by scripts/build.js. */
declare const __VERSION__: string;

/** Milliseconds after which WebGPU has lost the race, whatever it is still compiling. */
const RACE_LIMIT = 30_000;

/** Milliseconds that WebGPU has to be ready after the last that was heard of its start, which may compile for long. */
const DEVICE_LIMIT = 60_000;

/** Milliseconds in which a store has to say what it remembers of an earlier race. */
const REMEMBER_LIMIT = 2000;

export interface Started {
  engine: Engine;
  report: BackendReport;
}

export interface Wanted {
  asked: BackendChoice;
  /** Whether an adapter in software may race. */
  admitSoftware: boolean;
  start: Start;
  /** The world of the model, or who gives it. */
  world?: LoadOptions["world"];
  /** Where the result of a race is remembered, so that the next load need not repeat it. */
  store: Store | null;
  options: Omit<StartOptions, "backend" | "wasm">;
  wasm: { cpu?: Program | undefined; webgpu?: Program | undefined; llm?: Program | undefined };
}

/** Starts the backend that was asked for, or the one that does its work. */
export async function startBackend(wanted: Wanted): Promise<Started> {
  const { asked } = wanted;
  if (asked === "cpu") {
    return { engine: await startOne(wanted, "cpu"), report: report(asked, "cpu", "You chose the CPU.", null) };
  }
  // `auto` begins on the CPU whatever there is: a browser may take its time to say which adapter it has.
  const first = asked === "auto" ? startOne(wanted, "cpu") : null;
  first?.catch(() => {});
  const model = await Promise.race([wanted.options.model, failing(first)]);
  if (isModelFile(model) && (await isLanguageModel(model))) {
    const reason = "Running on the CPU, which alone computes language models here.";
    const refused = asked === "webgpu" ? new ArcherError("no-webgpu", "WebGPU does not compute language models here.") : null;
    return { engine: await (first ?? startOne(wanted, "cpu")), report: report(asked, "cpu", reason, null, refused) };
  }
  const graphics = await Promise.race([findAdapter(), failing(first)]);
  if (graphics.available) return first ? race(wanted, graphics, await first) : demand(wanted, graphics.adapter);
  const refused = new ArcherError("no-webgpu", capital(graphics.reason));
  const engine = await (first ?? startOne(wanted, "cpu"));
  return { engine, report: report(asked, "cpu", `Running on the CPU: ${graphics.reason}`, null, refused) };
}

/** Rejects where an engine does not start, so that nobody waits for an adapter in vain. */
function failing(engine: Promise<Engine> | null): Promise<never> {
  return new Promise((_, reject) => void engine?.catch(reject));
}

async function demand(wanted: Wanted, adapter: string | null): Promise<Started> {
  try {
    const engine = await startGraphics(wanted);
    return { engine, report: report("webgpu", "webgpu", "You chose WebGPU.", adapter) };
  } catch (thrown) {
    wanted.options.signal?.throwIfAborted();
    const error = asArcherError(thrown);
    // A bad model is bad on any backend. Without a network the CPU's module may still be there, kept from an earlier
    // visit; where it is not, its start says so itself.
    if (["bad-model", "version-mismatch"].includes(error.code)) throw error;
    const reason = `Running on the CPU, because WebGPU failed: ${firstLine(error.message)}`;
    return { engine: await startOne(wanted, "cpu"), report: report("webgpu", "cpu", reason, adapter, error) };
  }
}

async function race(wanted: Wanted, graphics: Capabilities["webgpu"] & { software: boolean }, cpu: Engine): Promise<Started> {
  const { adapter } = graphics;
  if (graphics.software && !wanted.admitSoftware) {
    const why = `the only graphics adapter here (${adapter}) is software, which is slower.`;
    const refused = new ArcherError("no-webgpu", capital(why));
    return { engine: cpu, report: report("auto", "cpu", `Running on the CPU: ${why}`, adapter, refused) };
  }
  let webgpu: Engine | null = null;
  try {
    const info = (await cpu.call({ method: "info" })) as ModelInfo;
    // Another version of the package may compute at another speed.
    const place = `race/${__VERSION__}/${adapter}/${info.parameters.actor}+${info.parameters.critic}`;
    const known = await remembered(wanted.store, place);
    if (known?.backend === "cpu") return { engine: cpu, report: known };
    if (known?.backend === "webgpu") {
      const engine = await startGraphics(wanted);
      cpu.close();
      return { engine, report: known };
    }
    wanted.options.onProgress?.({ stage: "measure" });
    const measured = { cpu: await measure(cpu), webgpu: null as BackendSpeed | null };
    const late = timeout(RACE_LIMIT);
    let over = false;
    const second = startOne(wanted, "webgpu").then(async (engine) => {
      // One that arrives after the race is of no use to anybody.
      if (over) return engine.close();
      webgpu = engine;
      const speed = await measure(engine);
      if (!over) measured.webgpu = speed;
    });
    try {
      await Promise.race([late.promise, second]);
    } finally {
      over = true;
      late.clear();
    }
    const winner = judge(measured.cpu, measured.webgpu, adapter);
    winner.measured = measured;
    // A race that was not run to its end says nothing about the next load.
    if (measured.webgpu) void remember(wanted.store, place, winner);
    const [first, other] = winner.backend === "cpu" ? [cpu, webgpu as Engine | null] : [webgpu as unknown as Engine, cpu];
    other?.close();
    return { engine: first, report: winner };
  } catch (thrown) {
    (webgpu as Engine | null)?.close();
    if (wanted.options.signal?.aborted) {
      cpu.close();
      throw wanted.options.signal.reason;
    }
    const error = asArcherError(thrown);
    const reason = `Running on the CPU, because WebGPU failed: ${firstLine(error.message)}`;
    return { engine: cpu, report: report("auto", "cpu", reason, adapter, error) };
  }
}

function judge(cpu: BackendSpeed, webgpu: BackendSpeed | null, adapter: string | null): BackendReport {
  if (!webgpu) {
    const reason = `Running on the CPU: ${adapter} was not ready after ${RACE_LIMIT / 1000} seconds.`;
    return report("auto", "cpu", reason, adapter);
  }
  const times = `a small step took ${ms(cpu.stepMs)} on the CPU and ${ms(webgpu.stepMs)} on ${adapter}`;
  return webgpu.stepMs < cpu.stepMs
    ? report("auto", "webgpu", `Running on WebGPU, which is faster for this model: ${times}.`, adapter)
    : report("auto", "cpu", `Running on the CPU, which is faster for this model: ${times}.`, adapter);
}

/** How fast an engine is, after a first round in which it may compile. */
export async function measure(engine: Engine): Promise<BackendSpeed> {
  await engine.call({ method: "probe" });
  const steps: number[] = [];
  for (let i = 0; i < 2; i++) {
    const begin = performance.now();
    await engine.call({ method: "probe" });
    steps.push(performance.now() - begin);
  }
  const stepMs = Math.min(...steps);
  // One conversation that does not count: each longer text meets shapes that were not computed yet.
  await talkThrough(engine, 1);
  const written = await talkThrough(engine, 2);
  return { tokensPerSecond: (1000 * written.tokens) / Math.max(written.ms, 1), stepMs };
}

/** Turns of a conversation that is held to measure. */
const TURNS = 5;

/** Holds a conversation in which every reply is the same; how many tokens were written, and how long they took. */
async function talkThrough(engine: Engine, seed: number): Promise<{ tokens: number; ms: number }> {
  const written = { tokens: 0, ms: 0 };
  const exchanges: [string, string][] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const begin = performance.now();
    const talk = { opening: "Go on.\n", exchanges };
    const said = (await engine.call({ method: "say", talk, sample: true, seed, score: false, alternatives: 0 }, () => written.tokens++)) as { text: string };
    written.ms += performance.now() - begin;
    exchanges.push([said.text, "No."]);
  }
  return written;
}

function startOne(wanted: Wanted, backend: Backend): Promise<Engine> {
  return wanted.start({ ...wanted.options, backend, wasm: wanted.wasm[backend], llm: wanted.wasm.llm });
}

/** Starts WebGPU, or gives up where nothing moves any more: a device, too, may be asked for in vain. */
async function startGraphics(wanted: Wanted): Promise<Engine> {
  const { signal, onProgress } = wanted.options;
  const given = new AbortController();
  const giveUp = () => given.abort(signal?.reason);
  const stalled = () => given.abort(new ArcherError("no-webgpu", `WebGPU was not ready within ${DEVICE_LIMIT / 1000} seconds.`));
  let timer = setTimeout(stalled, DEVICE_LIMIT);
  const watched = (progress: RawProgress) => {
    clearTimeout(timer);
    timer = setTimeout(stalled, DEVICE_LIMIT);
    onProgress?.(progress);
  };
  const gone = new Promise<never>((_, reject) => {
    given.signal.addEventListener("abort", () => reject(given.signal.reason), { once: true });
  });
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    const options = { ...wanted.options, onProgress: watched, signal: given.signal };
    return await Promise.race([startOne({ ...wanted, options }, "webgpu"), gone]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", giveUp);
  }
}

function report(asked: BackendChoice, backend: Backend, reason: string, adapter: string | null, refused: ArcherError | null = null): BackendReport {
  return { backend, asked, reason, adapter, refused: refused && faultOf(refused), measured: { cpu: null, webgpu: null } };
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** A store that refuses, at once or later, only means that the next load measures again. */
async function remember(store: Store | null, place: string, winner: BackendReport): Promise<void> {
  try {
    await store?.set(place, new TextEncoder().encode(JSON.stringify(winner)));
  } catch {
    // Nothing is lost but a second.
  }
}

async function remembered(store: Store | null, place: string): Promise<BackendReport | null> {
  try {
    // A database that does not open must hold nothing up.
    const late = timeout(REMEMBER_LIMIT);
    const bytes = await Promise.race([store?.get(place), late.promise]).finally(late.clear);
    return bytes ? (JSON.parse(new TextDecoder().decode(bytes)) as BackendReport) : null;
  } catch {
    return null;
  }
}

function ms(time: number): string {
  return time >= 1000 ? `${(time / 1000).toFixed(1)} s` : `${Math.round(time)} ms`;
}

interface AdapterInfo {
  vendor?: string;
  architecture?: string;
  description?: string;
  device?: string;
  isFallbackAdapter?: boolean;
}

interface Gpu {
  requestAdapter(options: { powerPreference: string }): Promise<{ info?: AdapterInfo; isFallbackAdapter?: boolean } | null>;
}

type Adapter = NonNullable<Awaited<ReturnType<Gpu["requestAdapter"]>>>;

/** Milliseconds that a browser has to name its adapter: a request may never be answered. */
const ADAPTER_LIMIT = 3000;

/** Milliseconds before another request: the first answers can be none where a later one is an adapter. */
const ASK_AGAIN_AFTER = [100, 600];

/** Whether there is a WebGPU adapter, and if not, why not. */
export async function findAdapter(): Promise<Capabilities["webgpu"] & { software: boolean }> {
  const none = (reason: string) => ({ available: false, adapter: null, reason, software: false });
  const gpu = present(() => (navigator as { gpu?: Gpu }).gpu);
  if (!gpu) {
    const secure = globalThis.isSecureContext !== false;
    return none(secure ? "there is no WebGPU here." : "WebGPU needs a page that is served over https or from localhost.");
  }
  const late = timeout(ADAPTER_LIMIT);
  let adapter: Adapter | null | undefined;
  try {
    adapter = await Promise.race([askForAdapter(gpu), late.promise.then(() => undefined)]);
  } catch (thrown) {
    return none(`WebGPU was refused: ${firstLine(asArcherError(thrown).message)}`);
  } finally {
    late.clear();
  }
  if (adapter === undefined) return none(`the browser did not name a graphics adapter within ${ADAPTER_LIMIT / 1000} seconds.`);
  if (!adapter) return none("WebGPU found no graphics adapter, or is not allowed to use it.");
  return described(adapter);
}

function described(adapter: Adapter): Capabilities["webgpu"] & { software: boolean } {
  const { vendor, architecture, description, device, isFallbackAdapter } = present(() => adapter.info) ?? {};
  const named = description || [vendor, architecture, device].filter(Boolean).join(" ") || "a graphics adapter without a name";
  const software = isFallbackAdapter ?? adapter.isFallbackAdapter ?? /swiftshader|llvmpipe|software/i.test(named);
  return { available: true, adapter: named, reason: `WebGPU runs on ${named}.`, software };
}

/** Asks as the module does, and again after a pause. */
async function askForAdapter(gpu: Gpu): Promise<Adapter | null> {
  const ask = () => gpu.requestAdapter({ powerPreference: "high-performance" });
  let adapter = await ask();
  for (const pause of ASK_AGAIN_AFTER) {
    if (adapter) return adapter;
    await timeout(pause).promise;
    adapter = await ask();
  }
  return adapter;
}

/** What this browser or runtime can do. */
export async function capabilities(): Promise<Capabilities> {
  const { available, adapter, reason } = await findAdapter();
  return {
    wasmSimd: hasSimd(),
    webgpu: { available, adapter, reason: capital(reason) },
    worker: hasWorkers(),
    storage: hasIndexedDb() ? "indexeddb" : "none",
  };
}
