/** Games as a page holds them: the state lies here, the rules in the games' module, and the agent is one of `archer-web`. */
import { ArcherError } from "./errors.js";
import { ANSWER, ASK, INSPECT, TURN } from "./games-options.js";
import type { GamesModule } from "./games-module.js";
import type {
  Answer, AskOptions, Game, GameState, Guesses, HostState, HostedGame, InspectOptions, Inspection, Judged, Reveal, Turn,
} from "./games-types.js";
import { checked, checkedValue, TEXT } from "./options.js";
import type { Agent, JudgedUtterance, Talk } from "./types.js";

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

/** What a game is played on. */
export interface Table {
  agent: Agent;
  module: GamesModule;
  /** The utterance that guesses each thing. */
  guesses: string[];
}

export class PlayedGame implements Game {
  private raw: RawGame;

  constructor(
    private readonly table: Table,
    options: { seed: number; turns: unknown[] },
  ) {
    this.raw = table.module.call<RawGame>({ method: "play", ...options });
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
    const { talk } = this.at(before.turns.length + 1);
    // How likely the question was is for `inspect` to say: nobody should wait for it.
    const { text } = await talk.say({ sample, score: false, ...(onText && { onText }), ...(signal && { signal }) });
    if (this.raw !== before) throw new ArcherError("usage", "The game moved on meanwhile.", "Await each call before the next.");
    this.raw = this.table.module.call<RawGame>({ method: "asked", game: before, question: text });
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
    const logProbs = await this.at(game.turns.length - open + 1).talk.score(this.table.guesses);
    return this.table.module.call<Guesses>({ method: "guesses", game, logProbs });
  }

  async reveal(thing: string): Promise<Reveal> {
    checkedValue("reveal", "thing", thing, TEXT);
    return this.table.module.call<Reveal>({ method: "reveal", game: this.raw, thing });
  }

  async inspect(options?: InspectOptions): Promise<Inspection> {
    const { turn, samples, also = [] } = checked("inspect", options, INSPECT);
    const number = turn ?? Math.max(this.raw.turns.length, 1);
    const { talk, returnBefore } = this.at(number, this.raw.turns[number - 1]?.question);
    const judged = await talk.inspect({ also, ...(samples !== undefined && { samples }) });
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
    throw new ArcherError("usage", `${call}: the game is over.`, "Call undo, or start another game with play().");
  }

  /** The game before a turn, as the agent knows it; `open` is what was asked then. */
  private at(turn: number, open: string | null = null): { talk: Talk; returnBefore: number } {
    const { agent, module } = this.table;
    const request = { method: "talk", game: this.raw, turn, retries: agent.info.retries };
    const { opening, exchanges, unread, returnBefore } = module.call<RawTalk>(request);
    const read = exchanges.map(([said, reply]) => ({ said, reply }));
    return { talk: agent.start({ opening, exchanges: read, open, unread, seed: this.raw.seed }), returnBefore };
  }

  private to(move: { method: string; [parameter: string]: unknown }): GameState {
    this.raw = this.table.module.call<RawGame>({ ...move, game: this.raw });
    return this.state;
  }
}

export class Hosted implements HostedGame {
  private raw: RawHost;

  constructor(
    private readonly module: GamesModule,
    options: { seed: number; thing: string | null },
  ) {
    this.raw = module.call<RawHost>({ method: "host", ...options });
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
    this.raw = this.module.call<RawHost>({ ...move, game: this.raw });
    return this.state;
  }
}
