/**
 * What is kept of large files, in the origin's private file system: a folder for each address, in it a file for each
 * piece and one that says what they are pieces of. A piece is written whole or not at all, so a visit that is cut off
 * leaves pieces that hold.
 */
import { ArcherError } from "./errors.js";
import { FOLDER, whole } from "./fetch.js";
import type { KeptModel } from "./keeping-types.js";
import { present } from "./runtime.js";

/** Bytes of a piece: what a visit that is cut off loses at the most. */
export const PIECE = 4 * 2 ** 20;

/** Bytes of the site's quota that are left to others. */
const SPARE = 32 * 2 ** 20;

const MODELS = "models";
const ABOUT = "about.json";

/** By what a server tells one version of a file from another. */
export interface Identity {
  etag: string | null;
  modified: string | null;
  total: number;
}

interface About extends Identity {
  address: string;
}

/** Whether two answers are about the same bytes: nothing is taken for the same that no server calls so. */
export function sameFile(one: Identity, other: Identity): boolean {
  if (one.total !== other.total) return false;
  if (one.etag !== null && other.etag !== null) return one.etag === other.etag;
  return one.modified !== null && one.modified === other.modified;
}

/** Whether a server says enough of a file to know it again. */
export function canKnowAgain({ etag, modified }: Identity): boolean {
  return etag !== null || modified !== null;
}

/** The folder of all of them; `null` where there is no such place, or nothing in it. */
async function models(create = false): Promise<FileSystemDirectoryHandle | null> {
  try {
    const root = await present(() => navigator.storage.getDirectory());
    const own = await root?.getDirectoryHandle(FOLDER, { create });
    return (await own?.getDirectoryHandle(MODELS, { create })) ?? null;
  } catch {
    return null;
  }
}

/** The name of an address's folder: addresses hold what names of files must not. */
async function nameOf(address: string): Promise<string> {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(address)));
  return [...sum.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What is in a folder: the pieces are those from the first to the one before a gap. */
async function contents(folder: FileSystemDirectoryHandle): Promise<{ about: About; pieces: File[]; keptAt: number } | null> {
  try {
    const file = await (await folder.getFileHandle(ABOUT)).getFile();
    const about = JSON.parse(await file.text()) as About;
    const pieces: File[] = [];
    for (;;) {
      const piece = await folder.getFileHandle(String(pieces.length)).then((handle) => handle.getFile(), () => null);
      if (!piece) break;
      pieces.push(piece);
    }
    return { about, pieces, keptAt: pieces.at(-1)?.lastModified ?? file.lastModified };
  } catch {
    return null; // damaged: as good as nothing
  }
}

export function lengthOfAll(pieces: readonly { size: number }[]): number {
  return pieces.reduce((sum, piece) => sum + piece.size, 0);
}

async function write(folder: FileSystemDirectoryHandle, name: string, bytes: Uint8Array<ArrayBuffer> | string): Promise<File> {
  const handle = await folder.getFileHandle(name, { create: true });
  const stream = await handle.createWritable();
  try {
    await stream.write(bytes);
    await stream.close();
  } catch (thrown) {
    await stream.abort().catch(() => {});
    throw thrown;
  }
  return handle.getFile();
}

/** What is kept of the file of one address. */
export class Kept {
  about: About | null = null;
  pieces: File[] = [];

  private constructor(
    private readonly address: string,
    private readonly name: string,
    private folder: FileSystemDirectoryHandle | null,
  ) {}

  /** Looks at what is kept of an address; `null` where nothing can be. */
  static async of(address: string): Promise<Kept | null> {
    if (!present(() => navigator.storage.getDirectory) || !present(() => crypto.subtle)) return null;
    const name = await nameOf(address);
    const folder = (await (await models())?.getDirectoryHandle(name).catch(() => null)) ?? null;
    const kept = new Kept(address, name, folder);
    const found = folder && (await contents(folder));
    if (!found || found.about.address !== address || lengthOfAll(found.pieces) > found.about.total) return kept;
    kept.about = found.about;
    kept.pieces = found.pieces;
    return kept;
  }

  /** Makes room for another file of this address. False where the browser has none, or grants none. */
  async begin(identity: Identity): Promise<boolean> {
    await this.remove();
    try {
      const { quota, usage = 0 } = (await present(() => navigator.storage.estimate())) ?? {};
      if (quota !== undefined && quota - usage < identity.total + SPARE) return false;
      this.folder = (await (await models(true))?.getDirectoryHandle(this.name, { create: true })) ?? null;
      if (!this.folder) return false;
      const about = { address: this.address, ...identity };
      await write(this.folder, ABOUT, JSON.stringify(about));
      this.about = about;
      return true;
    } catch {
      await this.remove();
      return false;
    }
  }

  /** Keeps one more piece. Throws what the browser throws, such as that its quota is full. */
  async add(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    if (this.folder) this.pieces.push(await write(this.folder, String(this.pieces.length), bytes));
  }

  /** Forgets what is kept; a browser that refuses forgets it when the next version is kept. */
  async remove(): Promise<void> {
    this.about = null;
    this.pieces = [];
    this.folder = null;
    await (await models())?.removeEntry(this.name, { recursive: true }).catch(() => {});
  }
}

/** What is kept, what came last first. */
export async function keptModels(): Promise<KeptModel[]> {
  const all = (await models()) as (FileSystemDirectoryHandle & { values(): AsyncIterable<FileSystemHandle> }) | null;
  const found: KeptModel[] = [];
  if (!all) return found;
  try {
    for await (const entry of all.values()) {
      const here = entry.kind === "directory" && (await contents(entry as FileSystemDirectoryHandle));
      if (!here) continue;
      const { address, total: bytes } = here.about;
      found.push({ address, bytes, arrived: lengthOfAll(here.pieces), keptAt: here.keptAt });
    }
  } catch {
    // Another tab has forgotten all of it meanwhile.
  }
  return found.sort((a, b) => b.keptAt - a.keptAt);
}

/** Forgets what is kept of an address, or of all. */
export async function forgetModel(address?: string | URL): Promise<void> {
  const one = address === undefined ? null : whole(address);
  const all = await models();
  if (!all) return;
  try {
    if (one !== null) await all.removeEntry(await nameOf(one), { recursive: true });
    else await (await navigator.storage.getDirectory()).removeEntry(FOLDER, { recursive: true });
  } catch (cause) {
    if ((cause as Error).name === "NotFoundError") return;
    const hint = "Close other tabs of this site, or wait until they have fetched what they are fetching, and try again.";
    throw new ArcherError("storage", "What is kept of a model is in use, and was not forgotten.", hint, { cause });
  }
}
