// A visitor's world in a place of its own: a frame without an origin, so without storage, under the page's policy and a
// stricter one, so without a network; and in it a worker, which can be ended when it takes too long.
import { type Fault, prepared } from "./code";
import frameScript from "./frame.js?raw";
import runner from "./runner.js?raw";

/** How long one turn of all games may take, and the code itself at the beginning. */
const LIMIT_MS = 5000;

const POLICY = "default-src 'none'; script-src 'unsafe-inline' blob:; worker-src blob:";
const PRELUDE = "'use strict'; self.defineWorld = (world) => world; ";

/** The script of the frame as the page's policy knows it, to the letter. */
export const FRAME_SCRIPT: string = frameScript;

export class WorldFault extends Error {
  constructor(readonly fault: Fault) {
    super(fault.message);
  }
}

export interface Declared {
  name: string;
  maxTurns: number;
  [key: string]: unknown;
}

/** What a world says: an opening or a turn, not yet held to the rules. */
export type Told = Record<string, unknown>;

interface Call {
  kind: "start" | "act" | "end";
  game: number;
  seed?: number;
  task?: number | null;
  said?: string;
}
type Answer = { turn?: Told; world?: Declared; error?: Fault } | null;
interface Waiting {
  call: Call;
  settle: (answer: Answer) => void;
}

/** A visitor's world that runs. */
export class Sandbox {
  private readonly frame = document.createElement("iframe");
  private readonly channel = new MessageChannel();
  private readonly sent = new Map<number, { waiting: Waiting[]; timer: ReturnType<typeof setTimeout> }>();
  private next: Waiting[] = [];
  private messages = 0;
  private games = 0;
  private ended: Fault | null = null;
  /** Called once where the code cannot go on. */
  onFault: (fault: Fault) => void = () => {};

  private constructor() {
    this.frame.setAttribute("sandbox", "allow-scripts");
    this.frame.title = "The world that is being trained in";
    this.frame.hidden = true;
    this.frame.srcdoc = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${POLICY}"><script>${FRAME_SCRIPT}</script>`;
    this.channel.port1.onmessage = ({ data }: MessageEvent<{ id: number; answers: Answer[] }>) => this.answered(data);
    addEventListener("message", this.complained);
  }

  /** Runs the code until its world is there. */
  static async open(code: string): Promise<{ sandbox: Sandbox; declared: Declared }> {
    const ready = prepared(code);
    if ("fault" in ready) throw new WorldFault(ready.fault);
    const sandbox = new Sandbox();
    try {
      return { sandbox, declared: await sandbox.begin(ready.code) };
    } catch (error) {
      sandbox.close();
      throw error;
    }
  }

  /** A new game; `game` is its number. */
  async start(seed: number, task: number | null): Promise<{ game: number; opening: Told }> {
    this.games += 1;
    const game = this.games;
    return { game, opening: await this.turn({ kind: "start", game, seed: seedOf(seed), task }) };
  }

  async act(game: number, said: string): Promise<Told> {
    const turn = await this.turn({ kind: "act", game, said });
    if (turn?.end) void this.call({ kind: "end", game });
    return turn;
  }

  close(): void {
    this.fail({ message: "The world was closed.", line: 0, column: 0 }, true);
  }

  private async begin(code: string): Promise<Declared> {
    const loaded = new Promise<void>((resolve) => this.frame.addEventListener("load", () => resolve(), { once: true }));
    document.body.append(this.frame);
    await loaded;
    const answer = await new Promise<Answer>((settle) => {
      this.expect(0, [{ call: { kind: "start", game: 0 }, settle }]);
      this.frame.contentWindow?.postMessage(`${PRELUDE}${code}\n${runner}`, "*", [this.channel.port2]);
    });
    if (!answer?.world) throw new WorldFault(shifted(answer?.error ?? { message: "The code exports no world." }));
    return answer.world;
  }

  private async turn(call: Call): Promise<Told> {
    const answer = await this.call(call);
    if (answer?.error) throw new WorldFault(shifted(answer.error));
    return answer?.turn as Told;
  }

  /** Calls made in one go travel in one message. */
  private call(call: Call): Promise<Answer> {
    if (this.ended) return Promise.resolve({ error: this.ended });
    return new Promise((settle) => {
      this.next.push({ call, settle });
      if (this.next.length === 1) queueMicrotask(() => this.send());
    });
  }

  private send(): void {
    const waiting = this.next;
    this.next = [];
    if (waiting.length === 0) return;
    this.messages += 1;
    this.expect(this.messages, waiting);
    this.channel.port1.postMessage({ id: this.messages, calls: waiting.map(({ call }) => call) });
  }

  private expect(id: number, waiting: Waiting[]): void {
    const late = { message: `The world did not answer within ${LIMIT_MS / 1000} seconds, so it was ended.`, line: 0, column: 0 };
    this.sent.set(id, { waiting, timer: setTimeout(() => this.fail(late), LIMIT_MS) });
  }

  private answered({ id, answers }: { id: number; answers: Answer[] }): void {
    const sent = this.sent.get(id);
    if (!sent) return;
    this.sent.delete(id);
    clearTimeout(sent.timer);
    sent.waiting.forEach(({ settle }, n) => settle(answers[n] ?? null));
  }

  /** Told by the frame: the code itself, or something that nobody caught. */
  private readonly complained = ({ source, data }: MessageEvent<Fault>): void => {
    if (source !== this.frame.contentWindow) return;
    const message = String(data.message).replace(/^Uncaught /, "") || "The code could not be read.";
    this.fail(shifted({ ...data, message }));
  };

  private fail(fault: Fault, wanted = false): void {
    if (this.ended) return;
    this.ended = fault;
    removeEventListener("message", this.complained);
    this.frame.remove();
    this.channel.port1.close();
    const waiting = [...this.sent.values()].flatMap((sent) => (clearTimeout(sent.timer), sent.waiting)).concat(this.next);
    this.next = [];
    this.sent.clear();
    for (const { settle } of waiting) settle({ error: fault });
    if (!wanted) this.onFault(fault);
  }
}

/** A seed whose last bits are drawn too: of 64 bits JavaScript keeps the upper 53. The runner of the terminal does the same. */
const seedOf = (seed: number): number => (seed < 2 ** 53 ? seed : Math.floor(seed / 2048));

/** A fault as the code's worker tells it, which may be anything, at its place in the code: the prelude stands on the first line. */
function shifted({ message, line, column }: Partial<Fault>): Fault {
  const place = { line: natural(line), column: natural(column) };
  if (place.line === 1) place.column = Math.max(1, place.column - PRELUDE.length);
  return { message: String(message), ...place };
}

const natural = (value: unknown): number => (Number.isSafeInteger(value) && (value as number) > 0 ? (value as number) : 0);
