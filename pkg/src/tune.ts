/** A fine-tune as an async iterator: one iteration of the core's trainer for each update asked for. */
import { ArcherError } from "./errors.js";
import { CallControl } from "./call-control.js";
import type { FineTune, FineTuneOptions, FineTuneUpdate } from "./types.js";

/** What the core says of an iteration; the clock is ours. */
export type RawUpdate = Omit<FineTuneUpdate, "gamesPerSecond" | "tokensPerSecond" | "seconds"> & { tokens: number; finished: boolean };

/** The agent's side of a fine-tune. */
export interface Learner {
  begin(options: FineTuneOptions): Promise<void>;
  /** One iteration, and how many seconds it took; nothing if it was given up. */
  step(control: CallControl): Promise<{ update: RawUpdate; seconds: number } | null>;
  /** Goes back where it failed before anything was learned. */
  abandon(): Promise<void>;
  end(): void;
}

export class Tuning implements FineTune {
  private now: FineTune["state"] = "running";
  private begun = false;
  private wake: (() => void) | null = null;
  /** Of the iteration under way. */
  private control: CallControl | null = null;

  constructor(
    private readonly learner: Learner,
    private readonly options: FineTuneOptions,
  ) {
    options.signal?.addEventListener("abort", () => this.stop(), { once: true });
    if (options.signal?.aborted) this.stop();
  }

  get state(): FineTune["state"] {
    return this.now;
  }

  async pause(): Promise<void> {
    if (this.now !== "running") return;
    this.now = "paused";
    const held = this.control?.held();
    this.control?.set("wait");
    await held;
  }

  resume(): void {
    if (this.now === "paused") this.go("running");
  }

  stop(): void {
    if (this.now === "running" || this.now === "paused") this.go("stopped");
  }

  async *[Symbol.asyncIterator](): AsyncIterator<FineTuneUpdate> {
    if (this.begun) throw new ArcherError("usage", "A fine-tune is gone through once.", "Start another with fineTune().");
    this.begun = true;
    try {
      if (this.now === "stopped") return;
      await this.learner.begin(this.options);
      while (await this.mayGoOn()) {
        const done = await this.stepped();
        if (!done) return;
        const { update: raw, seconds } = done;
        const { tokens, finished, ...update } = raw;
        if (finished && this.state !== "stopped") this.now = "finished";
        yield { ...update, seconds, gamesPerSecond: update.games / seconds, tokensPerSecond: tokens / seconds };
      }
    } catch (thrown) {
      this.now = "failed";
      // What is thrown tells more than why it could not go back.
      await this.learner.abandon().catch(() => {});
      throw thrown;
    } finally {
      // A loop that is left early, by `break`, ends here too.
      this.stop();
      this.learner.end();
    }
  }

  private async stepped(): ReturnType<Learner["step"]> {
    this.control = new CallControl();
    try {
      return await this.learner.step(this.control);
    } finally {
      this.control = null;
    }
  }

  /** Waits while paused; whether there is to be another iteration. */
  private async mayGoOn(): Promise<boolean> {
    while (this.now === "paused") await new Promise<void>((resolve) => (this.wake = resolve));
    return this.now === "running";
  }

  private go(to: FineTune["state"]): void {
    this.now = to;
    this.control?.set(to === "stopped" ? "stop" : "go");
    this.wake?.();
    this.wake = null;
  }
}
