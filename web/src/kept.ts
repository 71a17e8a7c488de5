// Small values that survive a reload and a closed tab, in localStorage. (The agent itself is megabytes
// and is kept by the package, in IndexedDB.) Only the tab that owns the storage writes.
import { effect, type Signal, signal } from "@preact/signals";
import { owner } from "./tabs";

const PREFIX = "archer.1."; // the number rises when the shape of what is kept changes

/** What this tab is doing at the moment, and what all tabs share. */
export type Scope = "tab" | "shared";

const readAgain: { scope: Scope; read: () => void }[] = [];

function read<T>(name: string, initial: T, fits: (value: unknown) => value is T): T {
  try {
    const text = localStorage.getItem(PREFIX + name);
    const value: unknown = text === null ? initial : JSON.parse(text);
    return fits(value) ? value : initial;
  } catch {
    return initial; // forbidden or damaged: begin afresh
  }
}

/** A signal that is read from storage now and written whenever it changes. */
export function kept<T>(
  name: string,
  initial: T,
  fits: (value: unknown) => value is T,
  scope: Scope = "shared",
): Signal<T> {
  const value = signal(read(name, initial, fits));
  readAgain.push({
    scope,
    read: () => {
      value.value = read(name, initial, fits);
    },
  });
  let first = true;
  effect(() => {
    const text = JSON.stringify(value.value);
    if (first || owner.peek() !== true) {
      first = false;
      return;
    }
    try {
      localStorage.setItem(PREFIX + name, text);
    } catch {
      // Full or forbidden: the page works on, it only forgets.
    }
  });
  return value;
}

/** Calls back with what another tab has kept under a name. */
export function onOtherTab(name: string, listener: (value: unknown) => void): void {
  addEventListener("storage", (event) => {
    if (event.key !== PREFIX + name || event.newValue === null) return;
    try {
      listener(JSON.parse(event.newValue));
    } catch {
      // Not ours, or damaged.
    }
  });
}

/** Takes over what another tab has kept meanwhile: all of it, or only what the tabs share. */
export function readKept(what: "all" | "shared"): void {
  for (const { scope, read } of readAgain) if (what === "all" || scope === "shared") read();
}

/** Whether a value is an object with at least these keys of these types. */
export function shaped(value: unknown, keys: Record<string, string>): boolean {
  if (typeof value !== "object" || value === null) return false;
  const record = value as Record<string, unknown>;
  return Object.entries(keys).every(([key, type]) =>
    type === "array" ? Array.isArray(record[key]) : typeof record[key] === type,
  );
}

/** A guard for one of some words. */
export function oneOf<T extends string>(...words: readonly T[]): (value: unknown) => value is T {
  return (value): value is T => words.includes(value as T);
}
