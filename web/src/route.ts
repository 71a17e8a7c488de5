// Which view is open: the part of the address behind the #, so that reload, back and links work.
import { signal } from "@preact/signals";

export const VIEWS = ["play", "inside", "learn"] as const;
export type View = (typeof VIEWS)[number];

const current = (): View => VIEWS.find((view) => location.hash === `#${view}`) ?? "play";

export const view = signal<View>(current());

addEventListener("hashchange", () => {
  view.value = current();
});
