/** An engine in a worker. */
import type { CallControl, CallState } from "./call-control.js";
import type { Engine, Request, Start, StartOptions } from "./engine.js";
import { ArcherError, asArcherError, faultOf } from "./errors.js";
import type { Program } from "./fetch.js";
import type { Located } from "./located.js";
import { type OwnWorker, startWorker } from "./own-worker.js";
import { isModelFile, type ModelFile } from "./model-file.js";
import type { RawProgress } from "./progress.js";
import type { FromWorker, Sent, ToWorker } from "./protocol.js";
import type { WorldHost } from "./world.js";

/** A message without its number. */
type Message = ToWorker extends infer M ? (M extends { id: number } ? Omit<M, "id"> : never) : never;

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  onProgress: ((progress: RawProgress) => void) | undefined;
  hear: ((text: string) => void) | undefined;
  control: CallControl | undefined;
}

/** Milliseconds after which a worker that has said nothing is none of the package's. */
const SILENT_FOR = 30_000;
const NOBODY = `The worker has not answered for ${SILENT_FOR / 1000} seconds.`;
const WHO = "Pass a worker that runs archer-web/worker, or leave worker out.";

/** Starts engines in workers that `make` makes; `own` names the script where it is the package's own. */
export function startIn(make: () => Worker, own?: string): Start {
  return async ({ backend, model, wasm, llm, onProgress, signal }: StartOptions) => {
    signal?.throwIfAborted();
    const engine = new RemoteEngine(startWorker(make, own));
    const abort = () => engine.fail(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    try {
      const prepared = engine.send({ kind: "prepare", backend, wasm: sendable(wasm), llm: sendable(llm) }, onProgress);
      const [file] = await Promise.all([model, prepared]);
      // Bytes are copied, not given away: the caller may need them for another backend. A blob travels by reference.
      const beginning = isModelFile(file) ? file : { ...file, world: engine.sent(file.world) };
      await engine.send({ kind: "start", model: beginning }, onProgress);
      return engine;
    } catch (thrown) {
      engine.close();
      throw thrown;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
  };
}

/** An address as a message can hold it. */
function sendable(program: Program | undefined): Exclude<Program, URL> | undefined {
  return program instanceof URL ? program.href : program;
}

class RemoteEngine implements Engine {
  private next = 0;
  private readonly waiting = new Map<number, Waiting>();
  private closed: unknown = null;
  /** Worlds that live in the page. */
  private readonly hosts: WorldHost[] = [];
  private readonly worker: Worker;
  /** Whether it has said anything: one that has did start. */
  private heard = false;
  private readonly silence: ReturnType<typeof setTimeout>;
  private readonly settled: () => void;

  constructor({ worker, diagnose, settled }: OwnWorker) {
    this.worker = worker;
    this.settled = settled;
    worker.addEventListener("message", (event: MessageEvent<FromWorker>) => this.hear(event.data));
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      if (this.heard || event.message) return this.fail(new ArcherError("internal", `The worker stopped: ${event.message || "it did not say why"}.`));
      void diagnose().then((error) => this.fail(error));
    });
    this.silence = setTimeout(() => this.fail(new ArcherError("usage", NOBODY, WHO)), SILENT_FOR);
    worker.addEventListener("messageerror", () => {
      this.fail(new ArcherError("internal", "The worker sent something that could not be read."));
    });
  }

  call(request: Request, hear?: (text: string) => void, control?: CallControl): Promise<unknown> {
    return this.send({ kind: "call", request, hears: hear !== undefined }, undefined, hear, control);
  }

  export(training: boolean, base = true): Promise<Uint8Array> {
    return this.send({ kind: "export", training, base }) as Promise<Uint8Array>;
  }

  import(file: ModelFile): Promise<unknown> {
    return this.send({ kind: "import", file });
  }

  world(place: Located): Promise<number> {
    return this.send({ kind: "world", place: this.sent(place) }) as Promise<number>;
  }

  /** A world as the worker takes it; for one that lives here, messages come back. */
  sent(place: Located): Sent {
    if (place.kind === "module") return place;
    // The worker has those of the package, too.
    if (place.kind === "builtIn") return { kind: "builtIn", name: place.name, settings: place.settings };
    const key = this.hosts.push(place.host) - 1;
    return { kind: "page", key, declared: place.host.declared };
  }

  /** Lets a world in the page answer the worker. */
  private async asked({ id, key, message }: Extract<FromWorker, { kind: "ask" }>): Promise<void> {
    try {
      const answer = await this.hosts[key]?.ask(message);
      if (!this.closed) this.worker.postMessage({ id, kind: "answered", answer });
    } catch (thrown) {
      if (!this.closed) this.worker.postMessage({ id, kind: "answered", fault: faultOf(thrown) });
    }
  }

  lost(): Promise<string | null> {
    return this.send({ kind: "lost" }) as Promise<string | null>;
  }

  close(): void {
    this.fail(new ArcherError("disposed", "The agent was disposed of."));
  }

  private settle(): void {
    clearTimeout(this.silence);
    this.settled();
  }

  /** Ends the worker, and everything that waits for it. */
  fail(reason: unknown): void {
    this.settle();
    this.closed ??= reason ?? new ArcherError("internal", "The worker was ended.");
    this.worker.terminate();
    for (const { reject, control } of this.waiting.values()) {
      reject(this.closed);
      control?.paused();
    }
    this.waiting.clear();
  }

  send(message: Message, onProgress?: (progress: RawProgress) => void, hear?: (text: string) => void, control?: CallControl): Promise<unknown> {
    if (this.closed) return Promise.reject(this.closed);
    const id = this.next++;
    return new Promise((resolve, reject) => {
      try {
        this.worker.postMessage({ id, ...message });
      } catch (cause) {
        // Something in the request cannot be sent to a worker: a function, say.
        const why = cause instanceof Error ? cause.message : String(cause);
        control?.paused();
        return reject(new ArcherError("usage", `The request cannot be sent to the worker: ${why}`, undefined, { cause }));
      }
      this.waiting.set(id, { resolve, reject, onProgress, hear, control });
      if (!control) return;
      const forward = (state: CallState) => this.worker.postMessage({ id, kind: "control", state });
      control.forward = forward;
      // They may have been pulled while the call was still waiting for its turn.
      if (control.state !== "go") forward(control.state);
    });
  }

  private end(id: number, { control }: Waiting): void {
    this.waiting.delete(id);
    if (!control) return;
    control.forward = null;
    control.paused();
  }

  private hear(message: FromWorker): void {
    if (!this.heard) this.settle();
    this.heard = true;
    if (message.kind === "ask") return void this.asked(message);
    const waiting = this.waiting.get(message.id);
    if (!waiting) return;
    switch (message.kind) {
      case "progress":
        return waiting.onProgress?.(message.progress);
      case "texts":
        return message.texts.forEach((text) => waiting.hear?.(text));
      case "held":
        return waiting.control?.paused();
      case "done":
        this.end(message.id, waiting);
        // Resolved first: a listener that throws must not keep the call waiting, and who awaits it comes later anyway.
        waiting.resolve(message.value);
        return message.texts?.forEach((text) => waiting.hear?.(text));
      case "failed":
        this.end(message.id, waiting);
        return waiting.reject(asArcherError(message.fault));
    }
  }
}
