// What went wrong, as a person is told it: what happened, and what to do about it.
import { ArcherError } from "archer-web";
import { sentence } from "./format";

export interface Trouble {
  code: string;
  message: string;
  hint: string;
}

/** Tells an error in two sentences, each with its capital and its full stop. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof ArcherError) {
    return { code: error.code, message: sentence(error.message), hint: sentence(error.hint) };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: "internal", message: sentence(message), hint: "Reload the page. If it happens again, please report it." };
}
