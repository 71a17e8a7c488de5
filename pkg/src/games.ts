/** Games as a page holds them: the state lies here, the rules in the core. */
import { ArcherError } from "./errors.js";
import { ANSWER, ASK, checked, checkedValue, INSPECT, TEXT, TURN } from "./options.js";
import type {
  Answer, AskOptions, Game, GameState, Guesses, HostState, HostedGame, InspectOptions, Inspection, Reveal, Turn,
} from "./types.js";

/** Asks the core, in turn with everything else. */
export type Ask = (request: { method: string; [parameter: string]: unknown }, hear?: (text: string) => void) => Promise<unknown>;

/** A game's state and what the core needs beside it. */
type RawGame = GameState & { seed: number };
type RawHost = HostState & { seed: number; task: number };

export class PlayedGame implements Game {
  constructor(
    private readonly ask_: Ask,
    private raw: RawGame,
  ) {}

  get state(): GameState {
    const { seed: _, ...state } = this.raw;
    return state;
  }

  async ask(options?: AskOptions): Promise<Turn> {
    const { onText, sample = false, signal } = checked("ask", options, ASK);
    signal?.throwIfAborted();
    const hear = (text: string) => {
      if (!signal?.aborted) onText?.(text);
    };
    // Where nobody listens, no text need travel.
    await this.to({ method: "ask", sample }, onText && hear, signal);
    const turn = this.raw.turns.at(-1);
    if (!turn) throw new ArcherError("internal", "A question was asked and is not there.");
    return turn;
  }

  async answer(answer: Answer): Promise<GameState> {
    checkedValue("answer", "answer", answer, ANSWER);
    return this.to({ method: "answer", answer });
  }

  undo(): Promise<GameState> {
    return this.to({ method: "undo" });
  }

  async force(turn: number, question: string): Promise<GameState> {
    checkedValue("force", "turn", turn, TURN);
    checkedValue("force", "question", question, TEXT);
    return this.to({ method: "force", turn, question });
  }

  guesses(): Promise<Guesses> {
    return this.ask_({ method: "guesses", game: this.raw }) as Promise<Guesses>;
  }

  async reveal(thing: string): Promise<Reveal> {
    checkedValue("reveal", "thing", thing, TEXT);
    return this.ask_({ method: "reveal", game: this.raw, thing }) as Promise<Reveal>;
  }

  async inspect(options?: InspectOptions): Promise<Inspection> {
    const { turn, samples, also = [] } = checked("inspect", options, INSPECT);
    const request = { method: "inspect", game: this.raw, turn: turn ?? null, samples: samples ?? null, also };
    return this.ask_(request) as Promise<Inspection>;
  }

  /** Moves the game on; a move that was given up or overtaken by another leaves it as it was. */
  private async to(move: { method: string; [parameter: string]: unknown }, hear?: (text: string) => void, signal?: AbortSignal): Promise<GameState> {
    const before = this.raw;
    const after = (await this.ask_({ ...move, game: before }, hear)) as RawGame;
    signal?.throwIfAborted();
    if (this.raw !== before) throw new ArcherError("usage", "The game moved on meanwhile.", "Await each call before the next.");
    this.raw = after;
    return this.state;
  }
}

export class Hosted implements HostedGame {
  constructor(
    private readonly ask_: Ask,
    private raw: RawHost,
  ) {}

  get state(): HostState {
    const { seed: _, task: __, ...state } = this.raw;
    return state;
  }

  async ask(question: string): Promise<HostState> {
    checkedValue("ask", "question", question, TEXT);
    return this.to({ method: "hostAsk", question });
  }

  undo(): Promise<HostState> {
    return this.to({ method: "hostUndo" });
  }

  giveUp(): Promise<HostState> {
    return this.to({ method: "hostGiveUp" });
  }

  private async to(move: { method: string; [parameter: string]: unknown }): Promise<HostState> {
    const before = this.raw;
    const after = (await this.ask_({ ...move, game: before })) as RawHost;
    if (this.raw !== before) throw new ArcherError("usage", "The game moved on meanwhile.", "Await each call before the next.");
    this.raw = after;
    return this.state;
  }
}
