// A model that the visitor brings: a file, or the address of one. What it is is said before it is loaded.
import { ArcherError, describe, forgetModel, type KeptModel, keptModels, type ModelDescription } from "archer-web";
import { computed, signal } from "@preact/signals";
import { bring, progress } from "./agent";
import { describeThere, fetchThere } from "./door";
import { suitsOwn } from "./learn/run";
import { singleFlight } from "./single-flight";
import { troubleOf, type Trouble } from "./trouble";
import { announce } from "./ui/announce";

/** A file that was looked at. */
export interface Found {
  name: string;
  /** The file; nothing where it has an address and is not fetched yet. */
  file: Blob | null;
  address: string | null;
  told: ModelDescription;
}

/** Whether the dialog is open. */
export const open = signal(false);
export const found = signal<Found | null>(null);
/** What goes on: looking at a file, or fetching and loading it. */
export const doing = signal<"looking" | "loading" | null>(null);
/** Bytes of it that were fetched, where it comes from elsewhere. */
export const fetched = signal<{ loaded: number; total: number | null } | null>(null);
export const trouble = signal<Trouble | null>(null);
/** What is kept of addresses, from earlier visits. */
export const keptHere = signal<KeptModel[]>([]);

let given = new AbortController();
const list = singleFlight();

export function show(): void {
  [found.value, trouble.value, doing.value] = [null, null, null];
  open.value = true;
  void readKept();
}

/** Closes the dialog, and gives up what goes on in it. */
export function close(): void {
  cancel();
  open.value = false;
}

export function cancel(): void {
  given.abort(new Error("given up"));
  doing.value = null;
  fetched.value = null;
}

const readKept = () =>
  list.queue(async () => {
    keptHere.value = await keptModels().catch(() => []);
  });

export const forget = (address: string) =>
  list.queue(async () => {
    trouble.value = null;
    try {
      await forgetModel(address);
      announce("Forgotten.");
    } catch (error) {
      trouble.value = troubleOf(error);
    }
    keptHere.value = await keptModels().catch(() => []);
  });

/** Does something that can be given up, and tells what went wrong in it. */
async function attempt(what: NonNullable<typeof doing.value>, action: (signal: AbortSignal) => Promise<void>): Promise<void> {
  given.abort(new Error("given up"));
  given = new AbortController();
  const { signal: mine } = given;
  [doing.value, trouble.value] = [what, null];
  try {
    await action(mine);
  } catch (error) {
    if (mine.aborted) return;
    trouble.value = troubleOf(error);
  }
  if (mine.aborted) return;
  doing.value = null;
  fetched.value = null;
}

/** Looks at a file that was chosen or dropped. */
export const lookAt = (file: File) =>
  attempt("looking", async (mine) => {
    found.value = null;
    const told = await describe(file, { signal: mine });
    found.value = { name: file.name, file, address: null, told };
  });

/** What is said of a folder that was dropped: a model folder, most likely. */
export function refuseFolder(name: string): void {
  found.value = null;
  const hint =
    "Make one file of it in the terminal. A run, or a model that archer trained: archer export --model FOLDER --out FILE.archer. A model " +
    "that others published: archer train --preset new-world --world WORLD --set actor=FOLDER --set lora.rank=8 --set iterations=0 --set warm_start.steps=0 --final-games 0 --out RUN first.";
  trouble.value = { code: "bad-model", message: `${name} is a folder.`, hint };
}

/** Looks at the file at an address. */
export const lookAtAddress = (text: string) =>
  attempt("looking", async (mine) => {
    found.value = null;
    const address = addressOf(text);
    const told = await describeThere(address, { signal: mine }).catch(withAWayOut);
    found.value = { name: nameOf(address), file: null, address, told };
  });

/** A whole address of what was typed. */
function addressOf(text: string): string {
  const typed = text.trim();
  let address: URL;
  try {
    address = new URL(/^[\w-]+(\.[\w-]+)+(:\d+)?\//.test(typed) ? `https://${typed}` : typed, document.baseURI);
  } catch (cause) {
    throw new ArcherError("usage", "That is no address.", "Give the whole one, such as https://example.org/agent.archer.", { cause });
  }
  if (!/^https?:$/.test(address.protocol)) {
    throw new ArcherError("usage", "A page can only fetch from addresses that begin with https:.", "Choose the file instead.");
  }
  // The page about a file there leads to the file by one word.
  if (address.hostname === "huggingface.co") address.pathname = address.pathname.replace("/blob/", "/resolve/");
  return address.href;
}

/** What the file at an address is called: the last part of its path, as people write it. */
function nameOf(address: string): string {
  const { pathname, hostname } = new URL(address);
  const last = pathname.split("/").at(-1) || hostname;
  try {
    return decodeURIComponent(last);
  } catch {
    return last; // a percent sign that stands for itself
  }
}

/** An error of the network with what helps in any case. */
function withAWayOut(error: unknown): never {
  if (!(error instanceof ArcherError) || error.code !== "network") throw error;
  throw new ArcherError("network", error.message, `${error.hint} Or download the file yourself, and choose it here.`, { cause: error });
}

/** Fetches what was found, where it must be, and lets it play. */
export const use = () =>
  attempt("loading", async (mine) => {
    const chosen = found.peek();
    if (!chosen) return;
    const { name, address, told } = chosen;
    const onProgress = (loaded: number, total: number | null) => (fetched.value = { loaded, total });
    const file = chosen.file ?? (await fetchThere(address as string, { signal: mine, onProgress }).catch(withAWayOut));
    fetched.value = null;
    mine.throwIfAborted();
    await bring(file, { name, address, opening: told.opening }, mine);
    suitsOwn();
    open.value = false;
    announce(`${name} plays now.`);
  });

/** How far the loading is: what is fetched, and then what the agent's own load says. */
export const share = computed(() => {
  const now = fetched.value ?? progress.value;
  return now?.total ? now.loaded / now.total : null;
});

/** The share of a device's memory that a page can count on: the system and other tabs have the rest. */
const OURS = 0.5;
/** Gigabytes that a device is taken to have where its browser does not say. */
const UNKNOWN = 4;

/** The memory of this device as far as its browser says it, in bytes. */
export const deviceMemory = (): number => ((navigator as { deviceMemory?: number }).deviceMemory ?? UNKNOWN) * 2 ** 30;

/** What of it this device is likely too small for. */
export function tooSmallFor({ memory }: ModelDescription): "load" | "fineTune" | null {
  const ours = OURS * deviceMemory();
  if (!memory) return null;
  return memory.load > ours ? "load" : memory.fineTune > ours ? "fineTune" : null;
}
