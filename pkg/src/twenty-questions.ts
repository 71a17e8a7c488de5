/**
 * The guessing games, on top of an agent of `archer-web` or `archer-web/cpu`. The agent itself knows none of them: it is
 * only started, and says, scores and judges. All calls reject with `usage` for an agent that plays no guessing game.
 *
 * @module archer-web/twenty-questions
 */
import { AGENT, CHANGE, HOST, PLAY } from "./games-options.js";
import type { Game, GameOptions, GamesInfo, HostedGame, HostOptions, WorldChange } from "./games-types.js";
import { Guessing, guessingWorld } from "./guessing.js";
import { checked, checkedValue } from "./options.js";
import type { Agent, BuiltIn } from "./types.js";

export type * from "./games-types.js";

/** Begins a game in which the person thinks of something and the agent asks. */
export async function play(agent: Agent, options?: GameOptions): Promise<Game> {
  checkedValue("play", "agent", agent, AGENT);
  const how = checked("play", options, PLAY);
  // One that was disposed of refuses this, and costs nothing where it was not.
  agent.start({ opening: "" });
  return (await Guessing.of(agent)).play(agent, how);
}

/** Begins a game in which the page thinks of something and the person asks in free text. */
export async function host(agent: Agent, options?: HostOptions): Promise<HostedGame> {
  checkedValue("host", "agent", agent, AGENT);
  const how = checked("host", options, HOST);
  return (await Guessing.of(agent)).host(how);
}

/** Says what there is in the game that the agent plays now. */
export async function info(agent: Agent): Promise<GamesInfo> {
  checkedValue("info", "agent", agent, AGENT);
  return (await Guessing.of(agent)).info;
}

/**
 * Gives the world that the agent plays in now, for `fineTune`, `evaluate` and `load`; with a change another one, where what
 * the change leaves out stays as it is.
 */
export async function worldOf(agent: Agent, change?: WorldChange): Promise<BuiltIn> {
  checkedValue("worldOf", "agent", agent, AGENT);
  if (change !== undefined) checkedValue("worldOf", "change", change, CHANGE);
  return guessingWorld(agent, change);
}
