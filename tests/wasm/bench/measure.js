/**
 * The work that `run.js` times, in a page that has the package and its games in `window.archer`: as a text it is handed to the
 * browser whole, so it uses nothing from outside itself. `hear` is told each figure as it is there.
 */
export async function measure({ backend, model, games, together, iterations }, hear = () => {}) {
  const told = {};
  const tell = (name, value) => {
    told[name] = value;
    hear({ ...told });
  };
  const agent = await window.archer.load({ backend, world: window.archer.worldOf, ...(model && { model: window.archer.models[model] }) });
  tell("backend", agent.backend);
  await (await window.archer.play(agent)).ask({ sample: true });
  tell("firstQuestionMs", performance.now());
  const play = async (games) => {
    let tokens = 0;
    let ms = 0;
    for (let seed = 1; seed <= games; seed++) {
      const game = await window.archer.play(agent, { seed });
      for (let turn = 1; turn <= 5; turn++) {
        const begin = performance.now();
        await game.ask({ sample: true, onText: () => tokens++ });
        ms += performance.now() - begin;
        if (turn < 5) await game.answer("no");
      }
    }
    return (1000 * tokens) / ms;
  };
  /** The same where the agent plays by itself: the games are played in the worker, one after the other. */
  const AT_A_TIME = 10;
  const playAlone = async (games) => {
    let turns = 0;
    const begin = performance.now();
    for (let done = 0; done < games; done += AT_A_TIME) {
      const some = { games: Math.min(AT_A_TIME, games - done), seed: 1 + done };
      const played = await agent.playGames({ ...some, sample: true, oneByOne: true });
      turns += played.reduce((sum, game) => sum + game.turns.length, 0);
    }
    return (1000 * turns) / (performance.now() - begin);
  };
  const evaluate = async (games) => {
    const begin = performance.now();
    const { meanTurns } = await agent.evaluate({ games, sample: true });
    return (1000 * games * meanTurns) / (performance.now() - begin);
  };
  const some = (n) => Math.ceil(n / 5);
  await play(some(games));
  tell("tokensPerSecond", await play(games));
  await playAlone(some(games));
  tell("aloneQuestionsPerSecond", await playAlone(games));
  await evaluate(some(together));
  tell("questionsPerSecond", await evaluate(together));
  let begin = 0;
  let done = 0;
  for await (const _ of agent.fineTune({ iterations: iterations + some(iterations), set: { warmup_iter: 0 } })) {
    if (++done === some(iterations)) begin = performance.now();
  }
  tell("iterationsPerMinute", (60_000 * iterations) / (performance.now() - begin));
  await agent.dispose();
  return told;
}
