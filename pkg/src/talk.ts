/** A conversation with the agent. The page holds it, and each call hands all of it to the core. */
import type { CallControl } from "./call-control.js";
import { ArcherError } from "./errors.js";
import { checked, checkedValue, END, HEAR, LOOK, SAY, TEXT, TEXTS } from "./options.js";
import type { HearOptions, Judgement, LookOptions, RecordedGame, SayOptions, Talk, TalkOptions, Utterance } from "./types.js";

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

  constructor(
    private readonly ask: Ask,
    { opening, choices = null, seed = 1, exchanges = [] }: TalkOptions,
  ) {
    if (typeof opening !== "string") throw new ArcherError("usage", "start was given no opening.", "It takes the text that the agent reads first: { opening: \"…\" }.");
    this.opening = opening === "" || opening.endsWith("\n") ? opening : `${opening}\n`;
    this.seed = seed;
    this.choices = this.first = choices;
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

  async say(options?: SayOptions): Promise<Utterance> {
    const { onText, sample = false, alternatives = 5, choices = this.choices, signal } = checked("say", options, SAY);
    signal?.throwIfAborted();
    this.expect(this.said === null, "say", "Call hear first: the last utterance has no reply yet.");
    const before = this.done.length;
    const hear = (text: string) => {
      if (!signal?.aborted) onText?.(text);
    };
    const request = { method: "say", talk: this.raw(choices), sample, seed: this.seed, score: true, alternatives };
    const said = (await this.ask(request, onText && hear)) as Utterance;
    signal?.throwIfAborted();
    this.expect(this.said === null && this.done.length === before, "say", "Await each call before the next.");
    this.choices = choices;
    this.said = said.text;
    return said;
  }

  force(text: string): void {
    checkedValue("force", "text", text, TEXT);
    this.expect(this.said === null, "force", "Call hear first, or undo: the last utterance has no reply yet.");
    const line = text.split(/[\n\r]/)[0]?.trim() ?? "";
    if (!line) throw new ArcherError("usage", "force: the text is empty.", "It takes one line of text.");
    this.said = line;
  }

  hear(reply: string, options?: HearOptions): void {
    checkedValue("hear", "reply", reply, TEXT);
    const { reward = 0, end = null, choices = null } = checked("hear", options, HEAR);
    const { said } = this;
    if (said === null) throw new ArcherError("usage", "hear: no utterance is waiting for a reply.", "Call say or force first.");
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
    if (!last) throw new ArcherError("usage", "undo: the conversation is at its beginning.", "Call say first.");
    this.said = last.said;
    this.choices = last.before;
  }

  async score(texts: readonly string[]): Promise<number[]> {
    checkedValue("score", "texts", texts, TEXTS);
    return (await this.ask({ method: "score", talk: this.raw(), said: texts })) as number[];
  }

  async inspect(options?: LookOptions): Promise<Judgement> {
    const { samples, also = [] } = checked("inspect", options, LOOK);
    const request = { method: "inspect", talk: this.raw(), said: this.said, samples: samples ?? null, also };
    return (await this.ask(request)) as Judgement;
  }

  record(end: "won" | "over" | "cut" | null = this.ended): RecordedGame {
    checkedValue("record", "end", end, END);
    const turns = this.done.map(({ said, reply, reward, after }) => ({ said, reply, reward, choices: after }));
    return { opening: this.opening, choices: this.first, turns, end };
  }

  private raw(choices = this.choices): unknown {
    return { opening: this.opening, exchanges: this.done.map(({ said, reply }) => [said, reply]), choices };
  }

  private expect(holds: boolean, call: string, hint: string): void {
    if (this.ended !== null) throw new ArcherError("usage", `${call}: the conversation has ended.`, "Call undo, or start another one.");
    if (!holds) throw new ArcherError("usage", `${call} was called at the wrong time.`, hint);
  }
}
