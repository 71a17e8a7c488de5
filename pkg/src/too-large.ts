/** Files that no page can load. */
import { ArcherError } from "./errors.js";

/** The largest file that a module of 32 bits can take in. */
const LARGEST = 2 ** 31 - 1;

/** Refuses a file that no page can load, before anything of it is fetched or read. */
export function refuseTooLarge(bytes: number, name: string): void {
  if (bytes <= LARGEST) return;
  const size = `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const hint = "Export it in fewer bits (archer export --precision q4), or choose a smaller model.";
  throw new ArcherError("out-of-memory", `${name} has ${size}; a page can load 2 GiB at the most.`, hint);
}
