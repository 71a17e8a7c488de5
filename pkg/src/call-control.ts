/**
 * Controls a long call while it computes. The core yields now and then, and asks here how to continue.
 *
 * Each yield lets the thread's other messages be handled. Whoever holds the control of a call can also pause it in
 * the middle of its work, or cancel it; the states of a call in a worker are sent there as messages (`protocol.ts`).
 */

/** What a call does at its next yield. */
export type CallState = "go" | "wait" | "stop";

/** Milliseconds of computing between two turns of the event loop: well under what a person notices. */
const TURN_EVERY = 25;

export class CallControl {
  /** Called with each change of state; set by the caller of a call that runs in another thread. */
  forward: ((state: CallState) => void) | null = null;
  private now: CallState = "go";
  private wake: (() => void) | null = null;
  private readonly watchers: (() => void)[] = [];
  private turnedAt = performance.now();
  private waitingSince = 0;
  private waited = 0;

  /** What the call does at its next yield. */
  get state(): CallState {
    return this.now;
  }

  /** Milliseconds for which the call was paused. */
  get waitedMs(): number {
    return this.waited + (this.now === "wait" ? performance.now() - this.waitingSince : 0);
  }

  set(state: CallState): void {
    if (this.now === state || this.now === "stop") return;
    this.waited = this.waitedMs;
    this.waitingSince = performance.now();
    this.now = state;
    this.forward?.(state);
    this.wake?.();
  }

  /** Resolves as soon as the call is paused, which is at its next yield, or has ended. */
  held(): Promise<void> {
    return new Promise((resolve) => this.watchers.push(resolve));
  }

  /** Resolves every promise of `held`: the call is paused now, or it has ended. */
  paused(): void {
    for (const resolve of this.watchers.splice(0)) resolve();
  }

  /** Called at each yield: `undefined` to continue at once, or a promise of whether to continue. */
  readonly rest = (): Promise<boolean> | undefined => {
    if (this.now === "go" && performance.now() - this.turnedAt < TURN_EVERY) return undefined;
    return this.turn();
  };

  private async turn(): Promise<boolean> {
    await nextTurn();
    while (this.now === "wait") {
      this.paused();
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    this.wake = null;
    this.turnedAt = performance.now();
    return this.now !== "stop";
  }
}

/** Does something that a signal gives up: the call at its next yield, and whoever waits for it at once. */
export async function stoppable<T>(signal: AbortSignal | undefined, act: (control: CallControl) => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  const control = new CallControl();
  if (!signal) return act(control);
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => {
      control.set("stop");
      reject(signal.reason);
    };
  });
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([act(control), stopped]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

const turns: (() => void)[] = [];
let channel: MessageChannel | null = null;

/** Lets every message that has arrived by now be handled; a timer would wait for milliseconds besides. */
function nextTurn(): Promise<void> {
  if (typeof setImmediate === "function") return new Promise((resolve) => setImmediate(resolve));
  // A make-believe browser, such as jsdom's in jest, may have neither.
  if (typeof MessageChannel !== "function") return new Promise((resolve) => setTimeout(resolve));
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
