// One tab at a time owns what is kept in this browser: the game, the agent, the fine-tune. A second tab
// plays as a guest and writes nothing, so two tabs never overwrite each other. The lock is the browser's
// (Web Locks), so a tab that crashes gives it back.
import { signal } from "@preact/signals";

const LOCK = "archer-page";

/** Whether this tab may write; `null` while that is being found out. */
export const owner = signal<boolean | null>(null);

type OnOwned = (how: "began" | "took" | "inherited") => void;
let onOwned: OnOwned = () => {};

function hold(options: LockOptions, how: Parameters<OnOwned>[0]): Promise<boolean> {
  return new Promise((settle) => {
    navigator.locks
      .request(LOCK, options, (lock) => {
        settle(lock !== null);
        if (!lock) return;
        owner.value = true;
        onOwned(how);
        return new Promise<never>(() => {}); // until this tab closes or another takes over
      })
      .catch((error: unknown) => {
        if (error instanceof DOMException && error.name === "AbortError") {
          owner.value = false; // another tab took over
          inherit();
        } else {
          alone(how);
          settle(true);
        }
      });
  });
}

/** Owns what is kept where there are no locks: storage of several tabs is then last come, last served. */
function alone(how: Parameters<OnOwned>[0]): void {
  owner.value = true;
  onOwned(how);
}

/** Waits in line: the lock comes when the owner closes. */
function inherit(): void {
  void hold({}, "inherited");
}

/** Finds out whether this tab is the owner; `listener` is called now and whenever it becomes it later. */
export async function enter(listener: OnOwned): Promise<void> {
  onOwned = listener;
  if (!("locks" in navigator)) {
    alone("began"); // only an insecure address lacks them
    return;
  }
  if (await hold({ ifAvailable: true }, "began")) return;
  owner.value = false;
  inherit();
}

/** Makes this tab the owner; the other one becomes a guest. */
export async function takeOver(): Promise<void> {
  await hold({ steal: true }, "took");
}
