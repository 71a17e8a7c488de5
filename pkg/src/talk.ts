/** A conversation with the agent: the page holds it, the core is handed it with each call. */
import type { CallControl } from "./call-control.js";
import { ArcherError } from "./errors.js";
import { checked, JUDGE, SAY } from "./options.js";
import type { HearOptions, Judgement, JudgeOptions, RecordedGame, SayOptions, Spoken, Talk, TalkOptions, Utterance } from "./types.js";

/** Asks the core, in turn with everything else. */
export type Ask = (
  request: { method: string; [parameter: string]: unknown },
  hear?: (text: string) => void,
  control?: CallControl,
) => Promise<unknown>;

interface Exchange {
  said: string;
  reply: string;
  reward: number;
  /** What could be said instead. */
  before: readonly string[] | null;
  after: readonly string[] | null;
}

export class Conversation implements Talk {
  private readonly done: Exchange[] = [];
  private said: string | null = null;
  private choices: readonly string[] | null;
  private ended: "won" | "over" | "cut" | null = null;
  private readonly first: readonly string[] | null;
  private readonly opening: string;
  private readonly seed: number;
  private readonly unread: readonly string[];

  constructor(
    private readonly ask: Ask,
    { opening, choices = null, seed = 1, exchanges = [], open = null, unread = [] }: TalkOptions,
  ) {
    if (typeof opening !== "string") throw new ArcherError("usage", "start takes an opening: the text that the agent reads first.");
    this.opening = opening === "" || opening.endsWith("\n") ? opening : `${opening}\n`;
    this.seed = seed;
    this.choices = this.first = choices;
    this.said = open;
    this.unread = unread;
    for (const { said, reply } of exchanges) this.done.push({ said, reply, reward: 0, before: null, after: null });
  }

  get exchanges(): readonly { said: string; reply: string; reward: number }[] {
    return this.done.map(({ said, reply, reward }) => ({ said, reply, reward }));
  }

  get open(): string | null {
    return this.said;
  }

  get end(): "won" | "over" | "cut" | null {
    return this.ended;
  }

  say(options?: SayOptions & { score?: true }): Promise<Utterance>;
  say(options?: SayOptions): Promise<Spoken>;
  async say(options?: SayOptions): Promise<Spoken> {
    const { onText, sample = false, score = true, alternatives = 5, choices = this.choices, signal } = checked("say", options, SAY);
    signal?.throwIfAborted();
    this.expect(this.said === null, "say", "Tell the reply to what was said by hear first.");
    const before = this.done.length;
    const hear = (text: string) => {
      if (!signal?.aborted) onText?.(text);
    };
    const request = { method: "say", talk: this.raw(choices), sample, seed: this.seed, score, alternatives: score ? alternatives : 0 };
    // Where nobody listens, no text need travel.
    const said = (await this.ask(request, onText && hear)) as Utterance;
    signal?.throwIfAborted();
    this.expect(this.said === null && this.done.length === before, "say", "Await each call before the next.");
    this.choices = choices;
    this.said = said.text;
    return score ? said : { text: said.text };
  }

  force(text: string): void {
    this.expect(this.said === null, "force", "Tell the reply to what was said by hear first, or take it back by undo.");
    const line = text.split(/[\n\r]/)[0]?.trim() ?? "";
    if (!line) throw new ArcherError("usage", "There is nothing to say in an empty text.", "Say one line of text.");
    this.said = line;
  }

  hear(reply: string, { reward = 0, end = null, choices = null }: HearOptions = {}): void {
    const { said } = this;
    if (said === null) throw new ArcherError("usage", "Nothing was said that could be replied to.", "Call say first.");
    if (typeof reply !== "string" || !Number.isFinite(reward)) {
      throw new ArcherError("usage", "hear takes a text and, with it, a reward that is a finite number.");
    }
    this.done.push({ said, reply: reply.replace(/\n+$/, ""), reward, before: this.choices, after: choices });
    this.said = null;
    this.choices = choices;
    this.ended = end;
  }

  undo(): void {
    this.ended = null;
    if (this.said !== null) {
      this.said = null;
      return;
    }
    const last = this.done.pop();
    if (!last) throw new ArcherError("usage", "There is nothing to take back.");
    this.said = last.said;
    this.choices = last.before;
  }

  async score(texts: readonly string[]): Promise<number[]> {
    return (await this.ask({ method: "score", talk: this.raw(), said: texts })) as number[];
  }

  async inspect(options?: JudgeOptions): Promise<Judgement> {
    const { samples, also = [] } = checked("inspect", options, JUDGE);
    const request = { method: "inspect", talk: this.raw(), said: this.said, samples: samples ?? null, also };
    return (await this.ask(request)) as Judgement;
  }

  record(end: "won" | "over" | "cut" | null = this.ended): RecordedGame {
    const turns = this.done.map(({ said, reply, reward, after }) => ({ said, reply, reward, choices: after }));
    return { opening: this.opening, choices: this.first, turns, end };
  }

  private raw(choices = this.choices): unknown {
    return { opening: this.opening, exchanges: this.done.map(({ said, reply }) => [said, reply]), choices, unread: this.unread };
  }

  private expect(holds: boolean, call: string, hint: string): void {
    if (this.ended !== null) throw new ArcherError("usage", `${call} does not go with a game that has ended.`, "Start another, or take the last reply back.");
    if (!holds) throw new ArcherError("usage", `${call} does not go with where the conversation stands.`, hint);
  }
}
