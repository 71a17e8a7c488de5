/** An engine that is spoken to by messages: what the package's workers do. */
import { builtIn } from "./built-in.js";
import { CallControl, type CallState } from "./call-control.js";
import { type Begin, type Engine, type Modules, prepare, type Request } from "./engine.js";
import { asArcherError, faultOf } from "./errors.js";
import type { Located } from "./located.js";
import { isModelFile } from "./model-file.js";
import type { RawProgress } from "./progress.js";
import type { FromWorker, Sent, ToWorker } from "./protocol.js";

let engine: Engine | null = null;
/** The program, while its model is still on its way. */
let begin: Begin | null = null;
let modules: Modules = {};
/** Of the calls under way, by their numbers. */
const controls = new Map<number, CallControl>();

const post = (message: FromWorker, transfer: Transferable[] = []) => {
  (self as unknown as { postMessage(message: FromWorker, transfer: Transferable[]): void }).postMessage(message, transfer);
};

/** Answers every message to this worker, with these modules. */
export function serve(own: Modules): void {
  modules = own;
  self.addEventListener("message", (event: MessageEvent<ToWorker>) => {
    const message = event.data;
    if (message.kind === "control") return void setState(message.id, message.state);
    if (message.kind === "answered") return answered(message);
    answer(message).then(
      (value) => {
        const bytes = value instanceof Uint8Array && value.buffer instanceof ArrayBuffer ? [value.buffer] : [];
        const texts = untold.get(message.id);
        untold.delete(message.id);
        post({ id: message.id, kind: "done", value, ...(texts && { texts }) }, bytes);
      },
      (thrown: unknown) => {
        untold.delete(message.id);
        post({ id: message.id, kind: "failed", fault: faultOf(thrown) });
      },
    );
  });
}

/** Messages for worlds in the page that are not yet answered. */
const asked = new Map<number, { resolve(answer: string): void; reject(error: unknown): void }>();
let questions = 0;

/** A world as an engine here takes it. */
function placeOf(sent: Sent): Located {
  if (sent.kind === "module") return sent;
  if (sent.kind === "builtIn") return { ...sent, host: () => builtIn(sent.name, sent.settings) };
  const { key, declared } = sent;
  const ask = (message: string) =>
    new Promise<string>((resolve, reject) => {
      const id = questions++;
      asked.set(id, { resolve, reject });
      post({ id, kind: "ask", key, message });
    });
  return { kind: "here", host: { declared, ask } };
}

function answered({ id, answer, fault }: Extract<ToWorker, { kind: "answered" }>): void {
  const waiting = asked.get(id);
  asked.delete(id);
  if (answer === undefined) waiting?.reject(asArcherError(fault));
  else waiting?.resolve(answer);
}

function setState(id: number, state: CallState): void {
  const held = controls.get(id);
  if (state === "wait") held?.held().then(() => post({ id, kind: "held" }));
  held?.set(state);
}

/** Milliseconds between two messages about a question that grows: where a token takes less, its message would cost as much as it. */
const TELL_EVERY = 10;

/** Of the calls under way that are listened to, what was heard and not told. */
const untold = new Map<number, string[]>();

/** Hears a question grow, and tells the page now and then; the rest goes with the reply. */
function teller(id: number): (text: string) => void {
  let texts: string[] = [];
  let toldAt = performance.now();
  untold.set(id, texts);
  return (text) => {
    texts.push(text);
    if (performance.now() - toldAt < TELL_EVERY) return;
    post({ id, kind: "texts", texts });
    texts = [];
    untold.set(id, texts);
    toldAt = performance.now();
  };
}

async function call(id: number, current: Engine, request: Request, hears: boolean): Promise<unknown> {
  const own = new CallControl();
  controls.set(id, own);
  try {
    return await current.call(request, hears ? teller(id) : undefined, own);
  } finally {
    controls.delete(id);
  }
}

async function answer(message: Exclude<ToWorker, { kind: "control" | "answered" }>): Promise<unknown> {
  const { id } = message;
  const onProgress = (progress: RawProgress) => post({ id, kind: "progress", progress });
  if (message.kind === "prepare") {
    post({ id, kind: "heard" });
    begin = await prepare(modules, { backend: message.backend, wasm: message.wasm, llm: message.llm, onProgress });
    return null;
  }
  if (message.kind === "start" && begin) {
    const { model } = message;
    engine = await begin(isModelFile(model) ? model : { ...model, world: placeOf(model.world) }, onProgress);
    return null;
  }
  if (!engine) throw new Error("the worker was asked before it was started");
  switch (message.kind) {
    case "call":
      return call(id, engine, message.request, message.hears);
    case "export":
      return engine.export(message.training, message.base);
    case "import":
      return engine.import(message.file);
    case "world":
      return engine.world(placeOf(message.place));
    case "lost":
      return engine.lost();
  }
}
