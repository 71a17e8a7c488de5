/**
 * What holds a long call while it computes: the core takes a breath now and then, and asks here how to go on.
 *
 * Every call lets the thread's other messages come to their turn that way. Whoever keeps the reins of one can also
 * make it wait in the middle of its work, or give it up; in a worker they are led over by messages (`protocol.ts`).
 */

/** How a call is to go on at its next breath. */
export type Rein = "go" | "wait" | "stop";

/** Milliseconds of computing between two turns of the event loop: well under what a person notices. */
const TURN_EVERY = 25;

export class Reins {
  /** Told of each change; set by whoever leads these reins to another thread. */
  lead: ((rein: Rein) => void) | null = null;
  private now: Rein = "go";
  private wake: (() => void) | null = null;
  private readonly watchers: (() => void)[] = [];
  private turnedAt = performance.now();
  private waitingSince = 0;
  private waited = 0;

  /** How the call is to go on. */
  get rein(): Rein {
    return this.now;
  }

  /** Milliseconds that it has been made to wait. */
  get waitedMs(): number {
    return this.waited + (this.now === "wait" ? performance.now() - this.waitingSince : 0);
  }

  set(rein: Rein): void {
    if (this.now === rein || this.now === "stop") return;
    this.waited = this.waitedMs;
    this.waitingSince = performance.now();
    this.now = rein;
    this.lead?.(rein);
    this.wake?.();
  }

  /** Resolves as soon as the work stands still, which is at its next breath. */
  held(): Promise<void> {
    return new Promise((resolve) => this.watchers.push(resolve));
  }

  /** Whoever waits for the work to stand still hears that it does, or that it is over. */
  standStill(): void {
    for (const resolve of this.watchers.splice(0)) resolve();
  }

  /** Asked at each breath: nothing where the work goes on at once, or a promise of whether it does. */
  readonly rest = (): Promise<boolean> | undefined => {
    if (this.now === "go" && performance.now() - this.turnedAt < TURN_EVERY) return undefined;
    return this.turn();
  };

  private async turn(): Promise<boolean> {
    await nextTurn();
    while (this.now === "wait") {
      this.standStill();
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    this.wake = null;
    this.turnedAt = performance.now();
    return this.now !== "stop";
  }
}

const turns: (() => void)[] = [];
let channel: MessageChannel | null = null;

/** Lets every message that has arrived by now be handled; a timer would wait for milliseconds besides. */
function nextTurn(): Promise<void> {
  if (typeof setImmediate === "function") return new Promise((resolve) => setImmediate(resolve));
  if (!channel) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => turns.shift()?.();
  }
  const { port2 } = channel;
  return new Promise((resolve) => {
    turns.push(resolve);
    port2.postMessage(null);
  });
}
