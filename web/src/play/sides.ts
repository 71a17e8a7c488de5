// The two games of Play: which of them is under way.
import type { Side } from "../route";
import { game } from "./asked";
import { hosted } from "./hosted";

/** Whether there is a game on this side. */
export const gameOf = (side: Side): boolean => (side === "agent" ? game : hosted).value !== null;
