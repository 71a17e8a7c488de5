
// Run by Node, this file lets the terminal train in its world: archer train --world "node world.js"
if (globalThis.process?.argv?.[1]?.endsWith("world.js")) {
  import(import.meta.url).then(async ({ default: world }) => {
    const { createInterface } = await import("node:readline");
    const games = new Map();
    // Seeds have 64 bits. JavaScript keeps 53 of them, the upper ones.
    const seedOf = (seed) => (seed < 2 ** 53 ? seed : Math.floor(seed / 2048));
    const { name, maxTurns, memory, tasks, best, worst, turn, oneLine } = world;
    const style = oneLine ? { after_utterance: " ", after_reply: "\n" } : undefined;
    const about = { name, max_turns: maxTurns, memory, tasks, best, worst, turn, style, protocol: 1 };
    const answer = async (message) => {
      const { cmd, game } = message;
      if (cmd === "about") return about;
      if (cmd === "batch") return { of: await Promise.all(message.of.map(answer)) };
      if (cmd === "start") {
        const { text, choices, state, task } = await world.start({ seed: seedOf(message.seed), task: message.task ?? null });
        games.set(game, { state, turns: 0 });
        return { game, text: text.endsWith("\n") ? text : `${text}\n`, choices, task };
      }
      if (cmd === "act") {
        const known = games.get(game);
        const told = await world.act(known.state, message.said);
        if ("state" in told) known.state = told.state;
        known.turns += 1;
        const end = told.end ?? (known.turns >= maxTurns ? "cut" : null);
        return { game, reply: (told.reply ?? "").replace(/\n+$/, ""), reward: told.reward, end, choices: end ? undefined : told.choices };
      }
      games.delete(game);
      return { game };
    };
    for await (const line of createInterface({ input: process.stdin })) {
      process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line)))}\n`);
    }
  });
}
