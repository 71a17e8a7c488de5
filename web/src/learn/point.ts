// What of an iteration is drawn and kept. The package reports some sixty numbers; a long fine-tune's log must
// fit into the browser's small storage, so only the drawn ones stay.
import type { FineTuneUpdate } from "archer-web";

const DRAWN = [
  "q1.loss",
  "q2.loss",
  "v1.loss",
  "v2.loss",
  "advantages.mean",
  "advantages.std",
  "rollout.entropy",
  "rollout.win_rate",
] as const;

export type Drawn = (typeof DRAWN)[number];

export interface Point {
  iteration: number;
  mean: number;
  low: number;
  high: number;
  /** Mean return of a greedy evaluation, where one was due. */
  greedy: number | null;
  gamesPerSecond: number;
  seconds: number;
  warmup: boolean;
  metrics: Partial<Record<Drawn, number>>;
}

const short = (value: number) => Number(value.toPrecision(5));

export function pointOf(update: FineTuneUpdate, already: number): Point {
  const metrics: Point["metrics"] = {};
  for (const name of DRAWN) {
    const value = update.metrics[name];
    if (value !== undefined) metrics[name] = short(value);
  }
  return {
    iteration: already + update.iteration,
    mean: short(update.return.mean),
    low: short(update.return.low),
    high: short(update.return.high),
    greedy: update.evaluation ? short(update.evaluation.meanReturn) : null,
    gamesPerSecond: short(update.gamesPerSecond),
    seconds: short(update.seconds),
    warmup: update.warmup,
    metrics,
  };
}
