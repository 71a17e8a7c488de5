// A stand-in for the package while it is being built: the same interface, invented numbers.
import type * as T from "../../../pkg/src/types";
export type * from "../../../pkg/src/types";
const things = ["football", "dog", "banana", "truck", "pants", "computer", "piano", "chair", "pen", "scissors"];
const pool = ["Is it alive?", "Can you wear it?", "Is it bigger than a person?", "Does it use electricity?", "Can you eat it?", "Is it made of wood?", "Do you find it in an office?", ...things.map((t) => `Is it a ${t}?`)];
const wait = (ms: number) => new Promise((done) => setTimeout(done, ms));
const hash = (text: string) => { let h = 7; for (const c of text) h = (h * 31 + c.charCodeAt(0)) % 9973; return h / 9973; };
export class ArcherError extends Error implements T.ArcherErrorShape {
  override name = "ArcherError" as const;
  constructor(public code: T.ErrorCode, message: string, public hint: string) { super(message); }
}
const knows = (thing: string, question: string): T.Answer => question.includes(thing) ? "yes" : question.startsWith("Is it a ") ? "no" : hash(thing + question) > 0.5 ? "yes" : "no";
const guessOf = (q: string) => things.find((t) => q === `Is it a ${t}?`) ?? null;
// deliberately unparseable like the world
function fakeGame(seed: number, start: readonly { question: string; answer: T.Answer | null; forced?: boolean }[] = []): T.Game {
  let turns: T.Turn[] = start.map((t, i) => ({ number: i + 1, question: t.question, answer: t.answer, forced: t.forced ?? false, guess: guessOf(t.question) }));
  const state = (): T.GameState => {
    const last = turns.at(-1);
    const found = last?.answer === "yes" && last.guess ? last.guess : null;
    const lost = !found && turns.length === 20 && last?.answer != null;
    return { status: found ? "found" : lost ? "lost" : last && last.answer === null ? "answer" : "ask", turns: turns.map((t) => ({ ...t })), maxTurns: 20, found, returnSoFar: -turns.filter((t) => t.answer).length + (found ? 1 : 0) };
  };
  const judge = (q: string, v: number): T.Judged => { const d = hash(q + v) - 0.5; return { question: q, q1: v + d, q2: v + d * 0.8 - 0.05, advantage: d * 0.9, probability: hash(q) * 0.3, expectedReturn: v + d }; };
  return {
    get state() { return state(); },
    async ask(options) {
      const unasked = pool.filter((q) => !turns.some((t) => t.question === q)); const left = unasked.length ? unasked : pool;
      const question = left[Math.floor(hash(`${seed}${turns.length}`) * 3) % left.length]!;
      let text = "";
      for (const word of question.split(/(?= )/)) { await wait(30); text += word; options?.onText?.(text); }
      const turn: T.Turn = { number: turns.length + 1, question, answer: null, guess: guessOf(question), forced: false };
      turns.push(turn); return turn;
    },
    async answer(answer) { await wait(10); turns.at(-1)!.answer = answer; return state(); },
    async undo() { if (turns.at(-1)?.answer === null) turns.pop(); const last = turns.at(-1); if (last) last.answer = null; return state(); },
    async guesses() {
      const p = things.map((thing) => ({ thing, probability: hash(thing + turns.map((t) => t.question + t.answer).join()) ** 3, denied: turns.some((t) => t.guess === thing && t.answer === "no") }));
      const sum = p.reduce((a, g) => a + g.probability, 0);
      return { guesses: p.map((g) => ({ ...g, probability: g.probability / sum })).sort((a, b) => b.probability - a.probability), guessing: Math.min(0.1 + turns.length * 0.1, 1) };
    },
    async reveal(thing) { return { thing, known: things.includes(thing), listed: things.includes(thing), turns: turns.map((t) => { const expected = knows(thing, t.question); return { ...t, expected, agrees: t.answer === expected }; }) }; },
    async inspect(options) {
      await wait(40);
      const turn = options?.turn ?? turns.length; const v = -5 + turn * 0.3; const asked = turns[turn - 1];
      return { turn, v1: v, v2: v - 0.2, expectedReturn: -(turn - 1) + v - 0.2, asked: asked ? judge(asked.question, v - 0.2) : null, alternatives: [...(options?.also ?? []), ...pool.filter((q) => q !== asked?.question).slice(turn, turn + 5)].map((q) => judge(q, v - 0.2)).sort((a, b) => b.advantage - a.advantage) };
    },
    async force(turn, question) { turns = turns.slice(0, turn - 1); turns.push({ number: turn, question, answer: null, guess: guessOf(question), forced: true }); return state(); },
  };
}
export async function load(options: T.LoadOptions = {}): Promise<T.Agent> {
  for (let i = 1; i <= 5; i++) { options.onProgress?.({ stage: i < 4 ? "wasm" : "model", loaded: i * 200_000, total: 1_000_000, message: "Loading the program" }); await wait(60); }
  let trained = 60;
  const info = (): T.ModelInfo => ({ world: "twenty_questions", things, maxTurns: 20, sometimes: false, gamma: 0.9, optimumReturn: -2.8, worstReturn: -20, parameters: { actor: 92_000, critic: 98_000 }, vocabulary: 512, critic: true, trained: { iterations: trained, games: trained * 256 }, resumable: true, bytes: 1_400_000 });
  const evaluation = (): T.Evaluation => ({ games: 100, meanReturn: -4.9 + trained * 0.002, returnCi95: [-5.1, -4.6], winRate: 1, meanQuestions: 5.4, invalidRate: 0.01, repeatRate: 0.03, optimumReturn: -2.8 });
  const store = new Map<string, Uint8Array>();
  const agent: T.Agent = {
    get info() { return info(); },
    backend: { backend: "cpu", asked: options.backend ?? "auto", reason: "This browser offers no graphics adapter (WebGPU), so the CPU computes.", adapter: null, measured: { cpu: { tokensPerSecond: 612, stepMs: 41 }, webgpu: null } },
    get changed() { return trained > 60; },
    async play(o) { return fakeGame(o?.seed ?? 1, (o as { turns?: [] } | undefined)?.turns); },
    async host(o) {
      const thing = o?.thing ?? things[Math.floor(hash(String(o?.seed ?? Math.random())) * things.length)]!;
      let turns: T.HostTurn[] = []; let over = false;
      const state = (): T.HostState => { const found = turns.at(-1)?.question.toLowerCase().includes(thing); return { status: found ? "found" : over || turns.length >= 20 ? "lost" : "ask", turns: [...turns], maxTurns: 20, thing: found || over ? thing : null, returnSoFar: -turns.length }; };
      return { get state() { return state(); }, async ask(question) { turns.push({ number: turns.length + 1, question, reply: question.length < 8 ? "Invalid Question." : knows(thing, question) === "yes" ? "Yes." : "No.", understood: question.length >= 8 }); return state(); }, async undo() { turns = turns.slice(0, -1); return state(); }, async giveUp() { over = true; return state(); } };
    },
    fineTune(o = {}) {
      let status: T.FineTune["state"] = "running"; const iterations = o.iterations ?? 20; let wake = () => {};
      return {
        get state() { return status; }, pause() { status = "paused"; }, resume() { status = "running"; wake(); }, stop() { status = "stopped"; wake(); },
        async *[Symbol.asyncIterator]() {
          for (let i = 1; i <= iterations; i++) {
            if (status === "paused") await new Promise<void>((d) => (wake = d));
            if (status === "stopped") return;
            await wait(350); trained += 1;
            const mean = -3.6 - 5 * Math.exp(-i / 8) + (Math.random() - 0.5);
            yield { iteration: i, iterations, return: { mean, low: mean - 0.8, high: mean + 0.8 }, optimumReturn: -2.8, metrics: { "q1.loss": 3 * Math.exp(-i / 6) + Math.random() * 0.3, "q2.loss": 3 * Math.exp(-i / 6) + Math.random() * 0.3, "v1.loss": Math.exp(-i / 6), "v2.loss": Math.exp(-i / 5), "advantages.mean": Math.random() * 0.1, "advantages.std": 0.5 + Math.random() * 0.1, "rollout.entropy": 1.4 - i * 0.01 + Math.random() * 0.05 }, evaluation: i % 5 === 0 ? evaluation() : null, games: 32, gamesPerSecond: 40 + Math.random() * 5, tokensPerSecond: 800, seconds: 0.35, warmup: i < 3 };
          }
          status = "finished";
        },
      };
    },
    async evaluate() { await wait(300); return evaluation(); },
    async keep() { return info(); }, async rollback() { trained = 60; return info(); },
    async metrics() { return [{ name: "q1.loss", unit: "return²", meaning: "mean (Q1 - target_v1)²", healthy: "falls, then stays above 0: chance remains" }]; },
    async export() { return new Uint8Array([1, 2, 3]); },
    async import(file) { if ((file as Blob).size !== 3 && (file as Uint8Array).length !== 3) throw new ArcherError("bad-model", "This file is no archer model: it does not begin as one.", "Choose a file that this page or `archer export` wrote."); return info(); },
    async save(name) { store.set(name, new Uint8Array(3)); return { name, revision: 1, bytes: 3, savedAt: Date.now() }; },
    async restore(name) { throw new ArcherError("not-found", `nothing is saved as ${name}`, "Save first."); },
    async saved() { return []; }, async forget() {}, onBackendChange() { return () => {}; }, async dispose() {},
  };
  return agent;
}
