// The component in Node: an instance that is granted the games of some worlds, and nothing else.
import { readFile } from "node:fs/promises";
import { instantiate } from "./dist/archer.js";

/**
 * What the component exports, with these worlds. A world is what defineWorld of archer-web takes: a name, maxTurns,
 * `start({ seed, task })` and `act(state, said)`, neither of them asynchronous.
 */
export async function open(...worlds) {
  const games = new Map();
  const named = new Map(worlds.map((world) => [world.name, world]));
  const answer = (call) => {
    try {
      return call();
    } catch (error) {
      throw String(error); // a text is the error of the interface; an Error would be a trap
    }
  };
  const imports = {
    "archer:agents/worlds": {
      start: ({ world, game, seed, task }) => answer(() => {
        const { state, ...opening } = named.get(world).start({ seed, task });
        games.set(game, { world: named.get(world), state });
        return opening;
      }),
      act: (game, said) => answer(() => {
        const known = games.get(game);
        const { state = known.state, ...played } = known.world.act(known.state, said);
        known.state = state;
        return { reply: "", invalid: false, ...played };
      }),
      close: (game) => games.delete(game),
    },
  };
  const core = async (name) => WebAssembly.compile(await readFile(new URL(`dist/${name}`, import.meta.url)));
  const exports = await instantiate(core, imports);
  return exports.agents ?? exports["archer:agents/agents@0.1.0"];
}

/** What the component must know of a world. */
export function definition({ name, maxTurns, memory, oneLine = false, tasks, best, worst, settings }) {
  return { name, maxTurns, memory, oneLine, tasks, best, worst, settings: settings && JSON.stringify(settings) };
}
