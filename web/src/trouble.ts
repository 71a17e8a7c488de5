// What went wrong, as a person is told it: what happened, and what to do about it.
import { ArcherError } from "archer-web";

export interface Trouble {
  code: string;
  message: string;
  hint: string;
}

/** Tells an error in two sentences. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof ArcherError) {
    return { code: error.code, message: error.message, hint: error.hint };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: "internal", message, hint: "Reload the page; if it happens again, please report it." };
}
