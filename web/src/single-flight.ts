// Runs one action at a time, and keeps the error of the last one for the view to show.
import { type Signal, signal } from "@preact/signals";
import { type Trouble, troubleOf } from "./trouble";

export interface SingleFlight {
  /** Runs an action, or drops it while another runs: a second press of a key means nothing. */
  pass(action: () => Promise<void>): Promise<void>;
  /** Runs an action once the one under way is over. */
  queue(action: () => Promise<void>): Promise<void>;
  /** Whether an action waits in the queue: long work looks, and makes way. */
  awaited(): boolean;
  readonly trouble: Signal<Trouble | null>;
  readonly busy: Signal<boolean>;
}

/** Runs an action, and tells what went wrong in it, if anything did. */
async function guarded(trouble: Signal<Trouble | null>, action: () => Promise<void>): Promise<void> {
  trouble.value = null;
  try {
    await action();
  } catch (error) {
    trouble.value = troubleOf(error);
  }
}

export function singleFlight(): SingleFlight {
  const trouble = signal<Trouble | null>(null);
  const busy = signal(false);
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  const run = async (action: () => Promise<void>) => {
    busy.value = true;
    await guarded(trouble, action);
    busy.value = false;
  };
  const queue = (action: () => Promise<void>) => {
    waiting += 1;
    last = last.then(() => {
      waiting -= 1;
      return run(action);
    });
    return last;
  };
  const pass = async (action: () => Promise<void>) => {
    if (busy.peek()) return;
    busy.value = true;
    await queue(action);
  };
  return { pass, queue, awaited: () => waiting > 0, trouble, busy };
}
