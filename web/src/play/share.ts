// A finished game as a link: the whole game is in the address, behind the #, so nothing is sent anywhere.
import type { Answer, GameState } from "archer-web/twenty-questions";
import { addressOfShared } from "../route";

export interface SharedGame {
  /** What it was, where that is known. */
  thing: string;
  found: boolean;
  turns: { question: string; answer: Answer }[];
}

const LETTERS: Record<Answer, string> = { yes: "y", no: "n", sometimes: "s", unknown: "d" };
const VERSION = 1;
/** What a game can have at most; a link may come from anywhere. */
const MOST = { turns: 60, text: 200, packed: 20_000 };

/** Packs a game into letters that an address may hold. */
export function pack(game: SharedGame): string {
  const plain = [VERSION, game.thing, game.found ? 1 : 0, game.turns.map(({ question, answer }) => [question, LETTERS[answer]])];
  const bytes = new TextEncoder().encode(JSON.stringify(plain));
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** Reads a packed game, or nothing where it is none. */
export function unpack(packed: string): SharedGame | null {
  if (packed.length > MOST.packed) return null;
  try {
    const text = atob(packed.replace(/-/g, "+").replace(/_/g, "/"));
    const plain: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(text, (c) => c.charCodeAt(0))));
    return Array.isArray(plain) && plain[0] === VERSION ? gameOf(plain) : null;
  } catch {
    return null;
  }
}

const short = (value: unknown): value is string => typeof value === "string" && value.length <= MOST.text;

function gameOf([, thing, found, turns]: unknown[]): SharedGame | null {
  if (!short(thing) || !Array.isArray(turns) || turns.length === 0 || turns.length > MOST.turns) return null;
  const read = turns.map((turn: unknown) => {
    if (!Array.isArray(turn) || !short(turn[0])) return null;
    const answer = (Object.keys(LETTERS) as Answer[]).find((said) => LETTERS[said] === turn[1]);
    return answer ? { question: turn[0], answer } : null;
  });
  if (read.includes(null)) return null;
  return { thing, found: found === 1, turns: read as SharedGame["turns"] };
}

/** A finished game as it is shared. */
export function sharedOf(state: GameState, told: string | null): SharedGame {
  const turns = state.turns.flatMap(({ question, answer }) => (answer ? [{ question, answer }] : []));
  return { thing: state.found ?? told ?? "", found: state.status === "found", turns };
}

/** The link to a finished game. */
export const linkTo = (game: SharedGame): string => location.href.replace(/#.*$/, "") + addressOfShared(pack(game));
