// Which view is open, which side of the game, and whether a game is on the table: the part of the address
// behind the #, so that reload, back and links work.
import { computed, signal } from "@preact/signals";
import { kept, oneOf } from "./kept";

export const VIEWS = ["play", "inside", "learn", "make"] as const;
export type View = (typeof VIEWS)[number];
/** Who asks in Play. */
export type Side = "agent" | "person";

export interface Route {
  view: View;
  side: Side;
  /** Whether the game is shown rather than the page before it. */
  game: boolean;
  /** A finished game that came with the address, still packed. */
  shared: string | null;
  /** The code of a world that came with the address, still packed. */
  code: string | null;
}

const SHARED = "game=";
const CODE = "make=";

/** The side that was played last, for links to Play from elsewhere. */
const lastSide = kept<Side>("side", "agent", oneOf("agent", "person"), "tab");

function read(hash: string): Route {
  const path = hash.replace(/^#/, "");
  const elsewhere = { side: lastSide.peek(), game: false, shared: null, code: null };
  if (path.startsWith(SHARED)) return { ...elsewhere, view: "play", side: "agent", shared: path.slice(SHARED.length) };
  if (path.startsWith(CODE)) return { ...elsewhere, view: "make", code: path.slice(CODE.length) };
  const [first = "", ...rest] = path.split("/");
  const view = VIEWS.find((known) => known === first) ?? "play";
  const named = first === "play";
  const side: Side = rest.includes("you-ask") ? "person" : named ? "agent" : lastSide.peek();
  return { ...elsewhere, view, side, game: rest.includes("game") };
}

export const route = signal<Route>(read(location.hash));
export const view = computed(() => route.value.view);

/** The address of a view, with what stays as it is left out. */
export function addressOf(part: Partial<Route>): string {
  const { view: to, side, game } = { ...route.peek(), ...part };
  if (to !== "play") return `#${to}`;
  return `#play${side === "person" ? "/you-ask" : ""}${game ? "/game" : ""}`;
}

/** The address of a game that is carried by it. */
export const addressOfShared = (packed: string): string => `#${SHARED}${packed}`;

/** The address of a world that is carried by it. */
export const addressOfCode = (packed: string): string => `#${CODE}${packed}`;

function settle(): void {
  route.value = read(location.hash);
  if (route.value.view === "play" && !route.value.shared) lastSide.value = route.value.side;
}

/** Opens another place; Back returns to this one. */
export function go(part: Partial<Route>): void {
  const to = addressOf(part);
  if (to === location.hash) return;
  history.pushState(null, "", to);
  settle();
}

/** Says where one is by now, without a place to go back to. */
export function correct(part: Partial<Route>): void {
  const to = addressOf(part);
  if (to === location.hash) return;
  history.replaceState(null, "", to);
  settle();
}

/** Whether this side of the game is what is open. */
export const at = (side: Side): boolean => route.peek().view === "play" && route.peek().side === side && !route.peek().shared;

addEventListener("hashchange", settle);
addEventListener("popstate", settle);
