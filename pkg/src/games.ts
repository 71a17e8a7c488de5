/** Games as a page holds them: the state lies here, the rules in the games' module, the agent behind an engine. */
import { ArcherError } from "./errors.js";
import { ANSWER, ASK, checked, checkedValue, INSPECT, TEXT, TURN } from "./options.js";
import type { GamesModule } from "./games-module.js";
import type {
  Answer, AskOptions, Game, GameState, Guesses, HostState, HostedGame, InspectOptions, Inspection, Judged, Reveal, Turn,
} from "./games-types.js";
import type { Ask } from "./talk.js";
import type { Judgement, JudgedUtterance } from "./types.js";

/** A game's state and what the rules need beside it. */
type RawGame = GameState & { seed: number };
type RawHost = HostState & { seed: number; task: number };

/** What an agent knows of a game. */
interface RawTalk {
  opening: string;
  exchanges: [string, string][];
  unread: string[];
  returnBefore: number;
}

/** What both kinds of game are played on: an agent and its world, whichever they are now. */
export interface Table {
  ask: Ask;
  module(): GamesModule;
  /** Whether the agent says nothing twice. */
  retries(): boolean;
  /** The utterance that guesses each thing. */
  guesses(): string[];
}

export class PlayedGame implements Game {
  private raw: RawGame;

  constructor(
    private readonly table: Table,
    options: { seed: number; turns: unknown[] },
  ) {
    this.raw = table.module().call<RawGame>({ method: "play", ...options });
  }

  get state(): GameState {
    const { seed: _, ...state } = this.raw;
    return state;
  }

  async ask(options?: AskOptions): Promise<Turn> {
    const { onText, sample = false, signal } = checked("ask", options, ASK);
    signal?.throwIfAborted();
    const before = this.raw;
    this.expect("ask", "ask");
    const hear = (text: string) => {
      if (!signal?.aborted) onText?.(text);
    };
    const { returnBefore: _, ...talk } = this.talk(before.turns.length + 1);
    const request = { method: "say", talk, sample, seed: before.seed, score: false, alternatives: 0 };
    // Where nobody listens, no text need travel.
    const { text } = (await this.table.ask(request, onText && hear)) as { text: string };
    signal?.throwIfAborted();
    if (this.raw !== before) throw new ArcherError("usage", "The game moved on meanwhile.", "Await each call before the next.");
    this.raw = this.table.module().call<RawGame>({ method: "asked", game: before, question: text });
    const turn = this.raw.turns.at(-1);
    if (!turn) throw new ArcherError("internal", "A question was asked and is not there.");
    return turn;
  }

  async answer(answer: Answer): Promise<GameState> {
    checkedValue("answer", "answer", answer, ANSWER);
    this.expect("answer", "answer");
    return this.to({ method: "answer", answer });
  }

  async undo(): Promise<GameState> {
    return this.to({ method: "undo" });
  }

  async force(turn: number, question: string): Promise<GameState> {
    checkedValue("force", "turn", turn, TURN);
    checkedValue("force", "question", question, TEXT);
    return this.to({ method: "force", turn, question });
  }

  async guesses(): Promise<Guesses> {
    const game = this.raw;
    const open = game.status === "answer" ? 1 : 0;
    const { returnBefore: _, ...talk } = this.talk(game.turns.length - open + 1);
    const logProbs = await this.table.ask({ method: "score", talk, said: this.table.guesses() });
    return this.table.module().call<Guesses>({ method: "guesses", game, logProbs });
  }

  async reveal(thing: string): Promise<Reveal> {
    checkedValue("reveal", "thing", thing, TEXT);
    return this.table.module().call<Reveal>({ method: "reveal", game: this.raw, thing });
  }

  async inspect(options?: InspectOptions): Promise<Inspection> {
    const { turn, samples, also = [] } = checked("inspect", options, INSPECT);
    const number = turn ?? Math.max(this.raw.turns.length, 1);
    const { returnBefore, ...talk } = this.talk(number);
    const said = this.raw.turns[number - 1]?.question ?? null;
    const request = { method: "inspect", talk, said, samples: samples ?? null, also };
    const judged = (await this.table.ask(request)) as Judgement;
    const { v1, v2 } = judged;
    const named = (one: JudgedUtterance): Judged => {
      const { text: question, ...values } = one;
      return { question, ...values, expectedReturn: returnBefore + Math.min(one.q1, one.q2) };
    };
    return {
      turn: number, v1, v2,
      expectedReturn: returnBefore + Math.min(v1, v2),
      asked: judged.said && named(judged.said),
      alternatives: judged.alternatives.map(named),
    };
  }

  /** Refuses a call that the game is not waiting for. */
  private expect(status: "ask" | "answer", call: string): void {
    const now = this.raw.status;
    if (now === status) return;
    if (now === "ask") throw new ArcherError("usage", `${call}: no question is open.`, "Call ask first.");
    if (now === "answer") throw new ArcherError("usage", `${call}: a question is open.`, "Call answer first.");
    throw new ArcherError("usage", `${call}: the game is over.`, "Call undo, or start another game with agent.play().");
  }

  private talk(turn: number): RawTalk {
    return this.table.module().call<RawTalk>({ method: "talk", game: this.raw, turn, retries: this.table.retries() });
  }

  private to(move: { method: string; [parameter: string]: unknown }): GameState {
    this.raw = this.table.module().call<RawGame>({ ...move, game: this.raw });
    return this.state;
  }
}

export class Hosted implements HostedGame {
  private raw: RawHost;

  constructor(
    private readonly table: Table,
    options: { seed: number; thing: string | null },
  ) {
    this.raw = table.module().call<RawHost>({ method: "host", ...options });
  }

  get state(): HostState {
    const { seed: _, task: __, ...state } = this.raw;
    return state;
  }

  async ask(question: string): Promise<HostState> {
    checkedValue("ask", "question", question, TEXT);
    return this.to({ method: "hostAsk", question });
  }

  async undo(): Promise<HostState> {
    return this.to({ method: "hostUndo" });
  }

  async giveUp(): Promise<HostState> {
    return this.to({ method: "hostGiveUp" });
  }

  private to(move: { method: string; [parameter: string]: unknown }): HostState {
    this.raw = this.table.module().call<RawHost>({ ...move, game: this.raw });
    return this.state;
  }
}
