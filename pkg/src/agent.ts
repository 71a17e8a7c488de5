/**
 * The agent: everything the package can do, on whichever engine computes.
 *
 * Calls queue, so that each finds what the one before has made. Long ones, a step of learning or an evaluation,
 * only begin in the queue and are then done beside it: the core answers others between two pieces of their work.
 * Where the graphics device is lost, or a trap has left the engine useless, another takes over from the last snapshot.
 */
import { type Started, startBackend, type Wanted } from "./backends.js";
import type { Engine, Request } from "./engine.js";
import { ArcherError, asArcherError } from "./errors.js";
import { modelOf } from "./fetch.js";
import { Hosted, PlayedGame } from "./games.js";
import { CallControl, stoppable } from "./call-control.js";
import { checked, checkedValue, EVALUATE, EXPORT, FILE, FINE_TUNE, HOST, NAME, PLAY, SAVE } from "./options.js";
import { Shelf } from "./store.js";
import { type RawUpdate, Tuning } from "./tune.js";
import type {
  Agent, BackendReport, EvaluateOptions, Evaluation, ExportOptions, FineTune, FineTuneOptions, Game, GameOptions,
  HostedGame, HostOptions, MetricInfo, ModelInfo, Saved, SaveOptions,
} from "./types.js";

/** What the core says of a model. */
type RawInfo = ModelInfo & { changed: boolean };

/** Iterations on WebGPU between two snapshots from which the CPU could go on. */
const SNAPSHOT_EVERY = 5;

/** Loads an agent. */
export async function loadAgent(wanted: Wanted): Promise<Agent> {
  const started = await startBackend(wanted);
  const info = (await started.engine.call({ method: "info" })) as RawInfo;
  return new LoadedAgent(wanted, started, info, await wanted.options.model);
}

class LoadedAgent implements Agent {
  private engine: Engine;
  private report: BackendReport;
  private raw: RawInfo;
  private last: Promise<unknown> = Promise.resolve();
  private recovering: Promise<void> | null = null;
  private disposed = false;
  private tuning = false;
  private readonly shelf: Shelf;
  private readonly listeners = new Set<(report: BackendReport) => void>();

  constructor(
    private readonly wanted: Wanted,
    started: Started,
    info: RawInfo,
    /** The file from which another engine can go on. */
    private snapshot: Uint8Array,
  ) {
    this.engine = started.engine;
    this.report = started.report;
    this.raw = info;
    this.shelf = new Shelf(wanted.store);
  }

  get info(): ModelInfo {
    const { changed: _, ...info } = this.raw;
    return info;
  }

  get backend(): BackendReport {
    return this.report;
  }

  get changed(): boolean {
    return this.raw.changed;
  }

  async play(options?: GameOptions): Promise<Game> {
    const { seed = 1, turns = [] } = checked("play", options, PLAY);
    const past = turns.map(({ question, answer, forced = false }) => ({ question, answer, forced }));
    return new PlayedGame(this.ask, (await this.ask({ method: "play", seed, turns: past })) as never);
  }

  async host(options?: HostOptions): Promise<HostedGame> {
    const { seed = drawSeed(), thing } = checked("host", options, HOST);
    return new Hosted(this.ask, (await this.ask({ method: "host", seed, thing: thing ?? null })) as never);
  }

  fineTune(given?: FineTuneOptions): FineTune {
    const options = checked("fineTune", given, FINE_TUNE);
    let iteration = 0;
    let begunOn: Engine | null = null;
    // One that was refused must not end the one under way.
    let mine = false;
    return new Tuning(
      {
        begin: async ({ signal: _, ...tune }) => {
          if (this.tuning) throw new ArcherError("usage", "Another fine-tune is under way.", "Stop it first.");
          this.tuning = mine = true;
          // Through JSON, so that what is undefined is left out.
          await this.ask({ method: "tune", tune: JSON.parse(JSON.stringify(tune)) as unknown });
          begunOn = this.engine;
          // It may have moved to another world.
          await this.look();
        },
        step: (control: CallControl) =>
          this.beside(async () => {
            if (this.engine !== begunOn) {
              const hint = "Start it again: it goes on from the last snapshot.";
              throw new ArcherError("device-lost", `${this.report.reason} The fine-tune ended there.`, hint);
            }
            const begin = performance.now();
            const update = (await this.engine.call({ method: "step" }, undefined, control)) as RawUpdate | undefined;
            if (!update) return null;
            const seconds = (performance.now() - begin - control.waitedMs) / 1000;
            await this.look();
            iteration += 1;
            if (this.report.backend === "webgpu" && (update.finished || iteration % SNAPSHOT_EVERY === 0)) {
              this.snapshot = await this.engine.export(true);
            }
            return { update, seconds };
          }),
        end: () => {
          if (mine) this.tuning = mine = false;
        },
      },
      options,
    );
  }

  async evaluate(options?: EvaluateOptions): Promise<Evaluation> {
    const { games = 100, seed = 7, sample = false, model = "current", world, signal } = checked("evaluate", options, EVALUATE);
    const request = { method: "evaluate", games, seed, sample, kept: model === "kept", ...(world && { world }) };
    return stoppable(signal, (control) => this.beside(() => this.engine.call(request, undefined, control))) as Promise<Evaluation>;
  }

  keep(): Promise<ModelInfo> {
    return this.replaced(async () => {
      await this.engine.call({ method: "keep" });
      this.snapshot = await this.engine.export(true);
    });
  }

  rollback(): Promise<ModelInfo> {
    this.refuseWhileTuning("rollback");
    return this.replaced(async () => {
      await this.engine.call({ method: "rollback" });
      this.snapshot = await this.engine.export(true);
    });
  }

  metrics(): Promise<MetricInfo[]> {
    return this.ask({ method: "metrics" }) as Promise<MetricInfo[]>;
  }

  async export(options?: ExportOptions): Promise<Uint8Array> {
    const { training = true } = checked("export", options, EXPORT);
    return this.queued(() => this.engine.export(training));
  }

  async import(file: ArrayBuffer | Uint8Array | Blob): Promise<ModelInfo> {
    checkedValue("import", "file", file, FILE);
    this.refuseWhileTuning("import");
    const bytes = await modelOf(file);
    return this.replaced(async () => {
      await this.engine.import(bytes);
      this.snapshot = bytes;
    });
  }

  async save(name: string, options?: SaveOptions): Promise<Saved> {
    checkedValue("save", "name", name, NAME);
    const how = checked("save", options, SAVE);
    return this.shelf.save(name, await this.export(), how);
  }

  async restore(name: string): Promise<Saved> {
    checkedValue("restore", "name", name, NAME);
    const { saved, file } = await this.shelf.read(name);
    await this.import(file);
    return saved;
  }

  async saved(): Promise<Saved[]> {
    return this.shelf.list();
  }

  async forget(name: string): Promise<void> {
    checkedValue("forget", "name", name, NAME);
    return this.shelf.forget(name);
  }

  onBackendChange(listener: (report: BackendReport) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async dispose(): Promise<void> {
    if (this.disposed) return;
    this.disposed = true;
    this.engine.close();
  }

  private readonly ask = (request: Request, hear?: (text: string) => void): Promise<unknown> =>
    this.queued(() => this.engine.call(request, hear));

  /** Does something that replaces the model, and looks at what is there now. */
  private replaced(act: () => Promise<void>): Promise<ModelInfo> {
    return this.queued(async () => {
      await act();
      await this.look();
      return this.info;
    });
  }

  private async look(): Promise<void> {
    this.raw = (await this.engine.call({ method: "info" })) as RawInfo;
  }

  /** Waits for what was asked before, then acts. */
  private queued<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.last.then(() => this.attempt(act));
    this.last = turn.catch(() => {});
    return turn;
  }

  /** The same, but what is asked afterwards does not wait for it. */
  private beside<T>(act: () => Promise<T>): Promise<T> {
    return this.last.then(() => this.attempt(act));
  }

  /** Acts; once more on another engine where this one is lost. */
  private async attempt<T>(act: () => Promise<T>): Promise<T> {
    this.refuseDisposed();
    const { engine } = this;
    try {
      return await act();
    } catch (thrown) {
      const error = asArcherError(thrown);
      this.refuseDisposed();
      if (this.engine !== engine || (await this.isLost(error))) {
        await this.recover(engine, () => this.goOnWithout(error));
        return act();
      }
      // After a trap the module's memory cannot be trusted.
      if (error.code === "out-of-memory" || error.code === "internal") await this.recover(engine, () => this.startAgain());
      throw error;
    }
  }

  /** Replaces an engine once, however many calls have found it useless. */
  private async recover(engine: Engine, replace: () => Promise<void>): Promise<void> {
    if (this.engine === engine) {
      this.recovering ??= replace().finally(() => {
        this.recovering = null;
      });
    }
    await this.recovering;
  }

  /** Whether the graphics device is gone. The CPU has none to lose, so nothing could take over from it. */
  private async isLost({ code }: ArcherError): Promise<boolean> {
    if (this.report.backend !== "webgpu") return false;
    return code === "device-lost" || (await this.engine.lost().catch(() => "gone")) !== null;
  }

  private async goOnWithout(error: ArcherError): Promise<void> {
    this.engine.close();
    const options = { ...this.wanted.options, model: this.snapshot, onProgress: undefined, signal: undefined };
    try {
      this.engine = await this.wanted.start({ ...options, backend: "cpu", wasm: this.wanted.wasm.cpu });
    } catch (cause) {
      throw new ArcherError("device-lost", `${error.message}, and the CPU could not take over.`, undefined, { cause });
    }
    const reason = `The CPU took over: ${error.message}`;
    this.report = { ...this.report, backend: "cpu", reason };
    await this.look();
    for (const listener of this.listeners) listener(this.report);
  }

  private async startAgain(): Promise<void> {
    const { backend } = this.report;
    const options = { ...this.wanted.options, model: this.snapshot, onProgress: undefined, signal: undefined };
    const next = this.wanted.start({ ...options, backend, wasm: this.wanted.wasm[backend] });
    const engine = await next.catch(() => null);
    if (!engine) return;
    this.engine.close();
    this.engine = engine;
    await this.look().catch(() => {});
  }

  private refuseDisposed(): void {
    if (this.disposed) throw new ArcherError("disposed", "The agent was disposed of.");
  }

  private refuseWhileTuning(call: string): void {
    if (this.tuning) throw new ArcherError("usage", `${call} does not go with a fine-tune under way.`, "Stop it first.");
  }
}

function drawSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] ?? 1;
}
