/** Checks what a caller hands in to a guessing game: the tables list every option of every call. */
import { bool, callback, type Check, data, fits, having, listOf, nearest, oneOf, seed, signal, type Table, text, whole } from "./options.js";

export const AGENT: Check = having("an agent, as load gives it", "start", "fineTune");
export const TURN: Check = whole(1);
export const ANSWER: Check = oneOf("yes", "no", "sometimes", "unknown");
export const PLAY: Table = { seed, turns: listOf(pastTurn, 'a list of turns such as { question: "Is it alive?", answer: "yes" }') };
export const HOST: Table = { seed, thing: text };
export const ASK: Table = { onText: callback, sample: bool, signal };
export const INSPECT: Table = { turn: TURN, samples: whole(0, 256), also: listOf(text, "a list of questions") };

const WANTED = "a change of the world such as { weights: { dog: 8 } }";

/** What a change may hold, each by a check of its parts; what they name is for the rules to know. */
const CHANGES: Record<string, Check> = {
  weights: each((value) => (Number.isFinite(value) && (value as number) >= 0 ? undefined : "a number from 0 up")),
  answers: each(each(oneOf("yes", "no", "sometimes"))),
  extra: listOf(text, "a list of names"),
};

export const CHANGE: Check = (value) => {
  const odd = data(WANTED)(value);
  if (odd !== undefined) return odd;
  for (const [name, part] of Object.entries(value as object)) {
    const check = Object.hasOwn(CHANGES, name) ? CHANGES[name] : undefined;
    const names = Object.keys(CHANGES);
    if (!check) return `${WANTED}: it has no "${name}", but ${nearest(name, names) ?? names.join(", ")}`;
    const wanted = part === undefined ? undefined : check(part);
    if (wanted !== undefined) return `${WANTED}: ${name} must be ${wanted}`;
  }
  return undefined;
};

/** An object whose every value fits. */
function each(check: Check): Check {
  return (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return "an object";
    for (const [name, part] of Object.entries(value)) {
      const wanted = check(part);
      if (wanted !== undefined) return `${wanted} for "${name}"`;
    }
    return undefined;
  };
}

/** A turn that was played; what else `Game.state` says of it may stay. */
function pastTurn(value: unknown): string | undefined {
  const { question, answer: given, forced } = (value ?? {}) as Record<string, unknown>;
  const answered = given === null || fits(given, ANSWER);
  return fits(question, text) && answered && (forced === undefined || fits(forced, bool)) ? undefined : "a turn";
}
