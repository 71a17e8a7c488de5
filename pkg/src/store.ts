/**
 * Keeping models in the browser, so that a reload, a closed tab and a second tab lose nothing.
 *
 * What is kept is the model file with a line about it before it; the file has its own checksum. Reading
 * and writing under one name happens under one of the browser's locks, which all tabs share.
 */
import { createStore, del, get, keys, set } from "idb-keyval";
import { ArcherError, messageOf } from "./errors.js";
import { present } from "./runtime.js";
import type { Saved, SaveOptions, Store } from "./types.js";

const PREFIX = "model/";

/** IndexedDB, where there is one and the browser does not forbid it. */
export function hasIndexedDb(): boolean {
  return present(() => indexedDB) !== undefined;
}

/** A store in IndexedDB. It is opened when it is first used, so that a page that keeps nothing asks for nothing. */
export function defaultStore(): Store | null {
  if (!hasIndexedDb()) return null;
  let opened: ReturnType<typeof createStore> | undefined;
  const store = () => (opened ??= createStore("archer-web", "files"));
  return {
    get: async (name) => get<Uint8Array>(name, store()),
    set: async (name, bytes) => set(name, bytes, store()),
    delete: async (name) => del(name, store()),
    keys: async () => (await keys<string>(store())).map(String),
  };
}

/** The models in a store. */
export class Shelf {
  constructor(private readonly store: Store | null) {}

  save(name: string, file: Uint8Array, { ifRevision }: SaveOptions): Promise<Saved> {
    return this.locked(name, async (store) => {
      const before = await store.get(PREFIX + name);
      const revision = before ? unpack(name, before).saved.revision : 0;
      if (ifRevision !== undefined && ifRevision !== revision) {
        throw new ArcherError("conflict", `"${name}" was saved elsewhere since: revision ${revision} instead of ${ifRevision}.`);
      }
      const saved: Saved = { name, revision: revision + 1, bytes: file.length, savedAt: Date.now() };
      await store.set(PREFIX + name, pack(saved, file));
      return saved;
    });
  }

  read(name: string): Promise<{ saved: Saved; file: Uint8Array }> {
    return this.locked(name, async (store) => {
      const found = await store.get(PREFIX + name);
      if (!found) throw new ArcherError("not-found", `Nothing is saved under "${name}".`);
      return unpack(name, found);
    });
  }

  async list(): Promise<Saved[]> {
    const store = this.open();
    const names = await guarded(() => store.keys());
    const saved: Saved[] = [];
    for (const key of names.filter((name) => name.startsWith(PREFIX))) {
      const found = await guarded(() => store.get(key));
      const read = found && readable(key.slice(PREFIX.length), found);
      if (read) saved.push(read);
    }
    return saved.sort((a, b) => b.savedAt - a.savedAt);
  }

  forget(name: string): Promise<void> {
    return this.locked(name, (store) => store.delete(PREFIX + name));
  }

  private async locked<T>(name: string, act: (store: Store) => Promise<T>): Promise<T> {
    const store = this.open();
    const locks = present(() => navigator.locks);
    const inTurn = () => (locks ? (locks.request(`archer-web/${name}`, () => act(store)) as Promise<T>) : act(store));
    return guarded(inTurn);
  }

  private open(): Store {
    if (!this.store) throw new ArcherError("storage", "No storage is available here.");
    return this.store;
  }
}

async function guarded<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (cause) {
    if (cause instanceof ArcherError) throw cause;
    const full = (cause as { name?: unknown } | null)?.name === "QuotaExceededError";
    const why = full ? "it is full" : messageOf(cause).replace(/\.$/, "");
    throw new ArcherError("storage", `The browser's storage failed: ${why}.`, undefined, { cause });
  }
}

function pack(saved: Saved, file: Uint8Array): Uint8Array {
  const line = new TextEncoder().encode(`${JSON.stringify(saved)}\n`);
  const all = new Uint8Array(line.length + file.length);
  all.set(line);
  all.set(file, line.length);
  return all;
}

/** What is said of a model, or nothing where the entry is damaged: the others must still be found. */
function readable(name: string, all: Uint8Array): Saved | null {
  try {
    return unpack(name, all).saved;
  } catch {
    return null;
  }
}

function unpack(name: string, all: Uint8Array): { saved: Saved; file: Uint8Array } {
  const end = all.indexOf(10);
  try {
    const saved = JSON.parse(new TextDecoder().decode(all.subarray(0, end))) as Saved;
    return { saved, file: all.slice(end + 1) };
  } catch (cause) {
    throw new ArcherError("bad-model", `What is saved under "${name}" cannot be read.`, undefined, { cause });
  }
}
