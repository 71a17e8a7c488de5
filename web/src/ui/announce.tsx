// What a screen reader hears. Text that changes on the screen token by token or many times a second is
// said here once, when it is whole.
import { signal } from "@preact/signals";

const said = signal("");
let turn = false;

/** Says a sentence after what is being said. */
export function announce(sentence: string): void {
  // A region that changes to the same text stays silent: a second sentence like the first gets a blank.
  turn = !turn;
  said.value = turn ? sentence : `${sentence}\u00a0`;
}

export function Announcer() {
  return (
    <p class="visually-hidden" role="status" aria-live="polite" aria-atomic="true">
      {said}
    </p>
  );
}
