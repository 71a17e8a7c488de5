// What the person prefers of the page.
import { effect } from "@preact/signals";
import { kept, oneOf } from "./kept";

export type Theme = "auto" | "light" | "dark";
export const theme = kept<Theme>("theme", "auto", oneOf("auto", "light", "dark"));

effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

/** Whether single keys answer: who speaks to the computer may want none that react to stray letters. */
export const letterKeys = kept("keys", true, (value): value is boolean => typeof value === "boolean");
