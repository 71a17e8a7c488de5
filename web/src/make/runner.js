;(() => { // Behind a visitor's code in the worker: plays that world, one message for all games of a turn.
  const world = self.default;
  const games = new Map();
  const KEYS = ["name", "maxTurns", "memory", "oneLine", "tasks", "best", "worst", "turn", "choices", "settings"];

  function declared() {
    if (typeof world !== "object" || world === null) return { error: { message: "The code exports no world: end it with “export default defineWorld({ … });”." } };
    for (const name of ["start", "act"]) {
      if (typeof world[name] !== "function") return { error: { message: `The world has no function ${name}.` } };
    }
    return { world: JSON.parse(JSON.stringify(Object.fromEntries(KEYS.map((key) => [key, world[key]])))) };
  }

  /** Where in the visitor's code an error was thrown: the code is the first part of this very file. */
  function placeOf(error) {
    const [, line, column] = /blob:[^\s)]*?:(\d+):(\d+)/.exec(error?.stack ?? "") ?? [];
    return { message: error instanceof Error ? `${error.name}: ${error.message}` : String(error), line: Number(line ?? 0), column: Number(column ?? 0) };
  }

  async function answered({ kind, game, seed, task, said }) {
    try {
      if (kind === "end") return games.delete(game) && null;
      const turn = kind === "start" ? await world.start({ seed, task }) : await world.act(games.get(game), said);
      if (turn && "state" in turn) games.set(game, turn.state);
      const { state: _, ...told } = turn ?? {};
      return turn ? { turn: told } : { turn };
    } catch (error) {
      return { error: placeOf(error) };
    }
  }

  self.onmessage = ({ ports: [port] }) => {
    port.onmessage = async ({ data: { id, calls } }) => port.postMessage({ id, answers: await Promise.all(calls.map(answered)) });
    port.postMessage({ id: 0, answers: [declared()] });
  };
})();
