/** Several downloads and steps of a load, told as one progress. */
import type { LoadProgress } from "./types.js";

/** What one part of a load tells. */
export type RawProgress =
  | { stage: "wasm" | "model"; loaded: number; total: number | null }
  | { stage: "check" }
  | { stage: "measure" };

/** Adds up what arrives: the program and the model come at the same time, and their progress is one. */
export function together(tell: (progress: LoadProgress) => void, parts: readonly ("wasm" | "model")[]): (raw: RawProgress) => void {
  const arrived = new Map(parts.map((part) => [part, { loaded: 0, total: null as number | null }]));
  const what = parts.includes("model") ? "the program and the model" : "the program";
  let measuring = false;
  return (raw) => {
    if (raw.stage === "check") {
      // A second backend checks the model again while both are measured.
      return measuring ? undefined : tell({ stage: "check", loaded: 0, total: null, message: "Reading the model, which checks its own example." });
    }
    const measured = { stage: "measure", loaded: 0, total: null, message: "Measuring CPU and WebGPU." } as const;
    if (raw.stage === "measure") {
      measuring = true;
      return tell(measured);
    }
    const { stage, loaded, total } = raw;
    if (measuring) return tell({ ...measured, loaded, total });
    arrived.set(stage, { loaded, total });
    const all = [...arrived.values()];
    const totals = all.map((part) => part.total);
    tell({
      stage: "fetch",
      loaded: all.reduce((sum, part) => sum + part.loaded, 0),
      total: totals.some((one) => one === null) ? null : totals.reduce((sum: number, one) => sum + (one ?? 0), 0),
      message: `Fetching ${what}.`,
    });
  };
}
