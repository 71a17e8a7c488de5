/** The worlds that the package has of its own, as a worker makes them: each is fetched where it is first asked for. */
import { ArcherError } from "./errors.js";
import type { WorldHost } from "./world.js";

const WORLDS: Record<string, (settings: object) => Promise<WorldHost>> = {
  games: async (settings) => (await (await import("./games-module.js")).GamesModule.of(settings)).host(),
};

/** Who answers for a world of this name. */
export async function builtIn(name: string, settings: object): Promise<WorldHost> {
  const made = Object.hasOwn(WORLDS, name) ? WORLDS[name] : undefined;
  if (!made) throw new ArcherError("usage", `There is no world ${name} in the package.`);
  return made(settings);
}
