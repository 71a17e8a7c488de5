/**
 * The agent: everything the package can do, on whichever engine computes.
 *
 * Calls queue, so that each finds what the one before has made. Long ones, a step of learning or an evaluation,
 * only begin in the queue and are then done beside it: the core answers others between two pieces of their work.
 * Where the graphics device is lost, or a trap has left the engine useless, another takes over from the last snapshot.
 */
import { type Started, startBackend, type Wanted } from "./backends.js";
import type { Engine, Request } from "./engine.js";
import { ArcherError, asArcherError, firstLine, messageOf } from "./errors.js";
import { modelOf } from "./fetch.js";
import { isLanguageModel, isModelFile, type ModelFile } from "./model-file.js";
import type { CallControl } from "./call-control.js";
import { stoppable } from "./call-control.js";
import { type Located, located } from "./located.js";
import {
  checked, checkedValue, EVALUATE, EXPORT, FILE, FINE_TUNE, GAMES, LEARN, NAME, PLAY_GAMES, SAVE, TALK,
} from "./options.js";
import { withBase } from "./sections.js";
import { Shelf } from "./store.js";
import { Conversation } from "./talk.js";
import { type RawUpdate, Tuning } from "./tune.js";
import type {
  Agent, BackendReport, BuiltIn, CreateProgress, EvaluateOptions, Evaluation, ExportOptions, FineTune, FineTuneOptions,
  LearnOptions, MetricInfo, ModelInfo, PlayGamesOptions, RecordedGame, Saved, SaveOptions, Talk, TalkOptions, WorldSource,
} from "./types.js";
import { rawGames } from "./world.js";

/** What the core says of a model. */
type RawInfo = ModelInfo & { changed: boolean };

/** Iterations on WebGPU between two snapshots from which the CPU could go on. */
const SNAPSHOT_EVERY = 5;

/** Loads an agent, or makes one. */
export async function loadAgent(wanted: Wanted): Promise<LoadedAgent> {
  const started = await startBackend(wanted);
  const { engine } = started;
  const file = await wanted.options.model;
  const agent = new LoadedAgent(wanted, started, isModelFile(file) ? file : await engine.export(true));
  await agent.look();
  return agent;
}

export class LoadedAgent implements Agent {
  private engine: Engine;
  private report: BackendReport;
  private raw!: RawInfo;
  /** The worlds that it learned in, by what a model says of its own: another model, or the one before, has another. */
  private homes = new Map<string, WorldSource>();
  /** The numbers of worlds, by engine: another one that takes over must be told of them again. */
  private readonly worlds = new WeakMap<Engine, Map<string | object, Promise<number>>>();
  private last: Promise<unknown> = Promise.resolve();
  private recovering: Promise<void> | null = null;
  private disposed = false;
  private tuning = false;
  private readonly shelf: Shelf;
  private readonly listeners = new Set<(report: BackendReport) => void>();

  constructor(
    private readonly wanted: Wanted,
    started: Started,
    /** The file from which another engine can go on. */
    private snapshot: ModelFile,
  ) {
    this.engine = started.engine;
    this.report = started.report;
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

  start(options: TalkOptions): Talk {
    this.refuseDisposed();
    return new Conversation(this.ask, checked("start", options, TALK));
  }

  fineTune(given?: FineTuneOptions): FineTune {
    const { world, ...options } = checked("fineTune", given, FINE_TUNE);
    return this.learning(options, async (tune) => {
      const home = await this.home(world);
      if (!home) throw homeless(this.raw.world);
      const teachWinning = (home as Partial<BuiltIn>).teachWinning ?? false;
      await this.engine.call({ method: "tune", tune: { teachWinning, ...tune, world: await this.numbered(home) } });
      return home;
    });
  }

  learnFrom(games: readonly RecordedGame[], given?: LearnOptions): FineTune {
    const { world, ...options } = checked("learnFrom", given, LEARN);
    checkedValue("learnFrom", "games", games, GAMES);
    const raw = rawGames(games);
    return this.learning(options, async (tune) => {
      const home = await this.home(world);
      const number = home ? await this.numbered(home) : null;
      await this.engine.call({ method: "learnFrom", games: raw, tune: { ...tune, world: number } });
      return home;
    });
  }

  /** A fine-tune that `begin` begins in the core; it says in which world. */
  private learning(options: FineTuneOptions, begin: (tune: object) => Promise<WorldSource | undefined>): FineTune {
    let iteration = 0;
    let begunOn: Engine | null = null;
    let { homes } = this;
    // One that was refused must not end the one under way.
    let mine = false;
    return new Tuning(
      {
        abandon: async () => {
          if (!mine || iteration > 0) return;
          this.homes = homes;
          await this.queued(() => this.engine.call({ method: "abandon" }));
          await this.look();
        },
        begin: async ({ signal: _, ...tune }) => {
          if (this.tuning) throw new ArcherError("usage", "Another fine-tune is under way.", "Stop it first.");
          this.tuning = mine = true;
          homes = new Map(this.homes);
          const home = await this.queued(() => begin(JSON.parse(JSON.stringify(tune)) as object));
          begunOn = this.engine;
          // It may have moved to another world.
          await this.look();
          if (home) this.homes.set(this.address, home);
        },
        step: (control: CallControl) =>
          this.beside(async () => {
            if (this.engine !== begunOn) {
              const hint = "Start it again: it continues from the last snapshot.";
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

  /** The steps of imitation with which a fresh agent begins. */
  async imitate(source: WorldSource, demonstrated: boolean, tell: (progress: CreateProgress) => void, signal: AbortSignal | undefined): Promise<void> {
    this.homes.set(this.address, source);
    while (demonstrated) {
      const update = (await stoppable(signal, (control) => this.beside(() => this.engine.call({ method: "step" }, undefined, control)))) as RawUpdate;
      const { iteration: loaded, iterations: total, finished } = update;
      tell({ stage: "imitate", loaded, total, message: `Imitating the demonstrations: ${loaded} of ${total} steps.` });
      if (finished) break;
    }
    await this.keep();
  }

  /** The number of a world in the engine that computes now. */
  private numbered(source: WorldSource): Promise<number> {
    const known = this.worlds.get(this.engine) ?? new Map<string | object, Promise<number>>();
    this.worlds.set(this.engine, known);
    const place: Located = located(source);
    const key = place.kind === "here" ? (source as object) : JSON.stringify(place);
    let number = known.get(key);
    if (!number) {
      number = this.engine.world(place);
      known.set(key, number);
      // One that could not be reached may be there at the next try.
      number.catch(() => known.delete(key));
    }
    return number;
  }

  /** What the model says of its world. */
  private get address(): string {
    return JSON.stringify([this.raw.world, this.raw.settings]);
  }

  /** The world that a call means: the one it was given, the one in which the model learned here, or that of `load`. */
  private async home(given: WorldSource | undefined): Promise<WorldSource | undefined> {
    const known = given ?? this.homes.get(this.address);
    if (known !== undefined) return known;
    const { world } = this.wanted;
    if (typeof world !== "function") return world;
    try {
      return await world(this);
    } catch (thrown) {
      if (thrown instanceof ArcherError) throw thrown;
      throw new ArcherError("world", `The world of load threw: ${messageOf(thrown)}`, undefined, { cause: thrown });
    }
  }

  async evaluate(options?: EvaluateOptions): Promise<Evaluation> {
    return this.played("evaluate", { games: 100, ...checked("evaluate", options, EVALUATE) }) as Promise<Evaluation>;
  }

  async playGames(options?: PlayGamesOptions): Promise<RecordedGame[]> {
    const { oneByOne = false, ...games } = checked("playGames", options, PLAY_GAMES);
    return this.played("playGames", { games: 1, ...games }, { oneByOne }) as Promise<RecordedGame[]>;
  }

  /** Lets the agent play in a world, beside whatever else is asked. */
  private played(method: string, { games, seed = 7, sample = false, model = "current", world, signal }: EvaluateOptions, how = {}): Promise<unknown> {
    return stoppable(signal, (control) =>
      this.beside(async () => {
        const home = await this.home(world);
        if (!home) throw homeless(this.raw.world);
        const number = await this.numbered(home);
        return this.engine.call({ method, games, seed, sample, kept: model === "kept", world: number, ...how }, undefined, control);
      }),
    );
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
    const { training = true, base = true } = checked("export", options, EXPORT);
    return this.queued(() => this.engine.export(training, base));
  }

  async import(file: ArrayBuffer | Uint8Array | Blob): Promise<ModelInfo> {
    checkedValue("import", "file", file, FILE);
    this.refuseWhileTuning("import");
    const given = await modelOf(file);
    return this.replaced(async () => {
      const next = await withBase(given, this.snapshot);
      // The modules compute different kinds of models, so one of another kind needs another engine.
      if ((await isLanguageModel(next)) === (await isLanguageModel(this.snapshot))) await this.engine.import(next);
      else await this.moveTo(next);
      this.snapshot = next;
    });
  }

  /** Lets an engine that begins with this file take the place of the one that is there. */
  private async moveTo(model: ModelFile): Promise<void> {
    const { backend } = this.report;
    const options = { ...this.wanted.options, model, onProgress: undefined, signal: undefined };
    const { engine, report } = await startBackend({ ...this.wanted, asked: backend, options });
    this.engine.close();
    this.engine = engine;
    if (report.backend === backend) return;
    this.report = { ...report, asked: this.report.asked };
    for (const listener of this.listeners) listener(this.report);
  }

  async save(name: string, options?: SaveOptions): Promise<Saved> {
    checkedValue("save", "name", name, NAME);
    const { base = true, ...how } = checked("save", options, SAVE);
    return this.shelf.save(name, await this.export({ base }), how);
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

  /** Looks at what is there now. */
  async look(): Promise<void> {
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
      this.engine = await this.wanted.start({ ...options, backend: "cpu", wasm: this.wanted.wasm.cpu, llm: this.wanted.wasm.llm });
    } catch (cause) {
      throw new ArcherError("device-lost", `${firstLine(error.message)} The CPU could not take over.`, undefined, { cause });
    }
    const reason = `The CPU took over: ${firstLine(error.message)}`;
    this.report = { ...this.report, backend: "cpu", reason };
    await this.look();
    for (const listener of this.listeners) listener(this.report);
  }

  private async startAgain(): Promise<void> {
    const { backend } = this.report;
    const options = { ...this.wanted.options, model: this.snapshot, onProgress: undefined, signal: undefined };
    const next = this.wanted.start({ ...options, backend, wasm: this.wanted.wasm[backend], llm: this.wanted.wasm.llm });
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
    if (this.tuning) throw new ArcherError("usage", `${call}: a fine-tune is under way.`, "Stop it first.");
  }
}

/** What is said where a model is to play and its world is not known. */
function homeless(world: string): ArcherError {
  const hint = "Pass it to this call or to load: { world }.";
  return new ArcherError("usage", `The world ${world} of this model is not here.`, hint);
}
