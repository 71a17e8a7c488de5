/** The sections of a model file (docs/model-file.md), wherever it is. */
import { crc32 } from "./crc32.js";
import { ArcherError } from "./errors.js";
import { bytesOfBlob, MAGIC, type ModelFile } from "./model-file.js";

/** Gives some bytes of a file; fewer where it ends. */
export type Part = (from: number, to: number) => Promise<Uint8Array>;

export function partsOf(file: ModelFile): Part {
  if (file instanceof Uint8Array) return async (from, to) => file.subarray(from, to);
  return (from, to) => bytesOfBlob(file.slice(from, to));
}

/** A section of the container, and where its bytes are. */
export interface Section {
  name: string;
  from: number;
  length: number;
}

/** Bytes of a container before its first section. */
const HEAD = MAGIC.length + 8;
/** Bytes of a section before its own: the length of its name, at most so long a name, and its length. */
const SECTION_HEAD = 1 + 255 + 8;

/** The sections of a container one after the other; ends early where the bytes do. */
export async function* sectionsOf(part: Part): AsyncGenerator<Section> {
  const head = await part(0, HEAD);
  if (head.length < HEAD) return;
  let at = HEAD;
  for (let left = viewOf(head).getUint32(MAGIC.length + 4, true); left > 0; left--) {
    const bytes = await part(at, at + SECTION_HEAD);
    const nameLength = bytes[0] ?? 0;
    if (bytes.length < 1 + nameLength + 8) return;
    const length = Number(viewOf(bytes).getBigUint64(1 + nameLength, true));
    const from = at + 1 + nameLength + 8;
    yield { name: textOf(bytes.subarray(1, 1 + nameLength)), from, length };
    at = from + length;
  }
}

/** The section of the frozen model under adapters, by far the largest of a file that has it. */
const BASE = "base/model.safetensors";
/** Where a container counts its sections. */
const COUNT_AT = MAGIC.length + 4;
/** Bytes that are summed at a time. */
const PIECE = 4 * 2 ** 20;

/** What a file says of the model that its adapters belong to, and where that model is in it. */
async function baseIn(file: ModelFile): Promise<{ sha256: string; section: Section | null }> {
  const part = partsOf(file);
  const found: { sha256: string; section: Section | null } = { sha256: "", section: null };
  for await (const section of sectionsOf(part)) {
    if (section.name === BASE) found.section = section;
    if (section.name !== "state") continue;
    const state = JSON.parse(textOf(await part(section.from, section.from + section.length))) as { base_sha256?: string } | null;
    found.sha256 = state?.base_sha256 ?? "";
  }
  return found;
}

/** A file without the frozen model in it, which is small enough to be saved again and again. */
export async function withoutBase(file: Uint8Array): Promise<Uint8Array> {
  const { section } = await baseIn(file);
  if (!section) return file;
  const before = file.subarray(0, section.from - 1 - BASE.length - 8);
  const after = file.subarray(section.from + section.length, -4);
  const rest = new Uint8Array(before.length + after.length + 4);
  rest.set(before);
  rest.set(after, before.length);
  changeCount(rest, -1);
  viewOf(rest).setUint32(rest.length - 4, crc32(rest.subarray(0, -4)), true);
  return rest;
}

/** A file with the model that its adapters belong to, from another file where it lacks it; as it is where it lacks none. */
export async function withBase(file: ModelFile, other: ModelFile): Promise<ModelFile> {
  const [mine, theirs] = await Promise.all([baseIn(file), baseIn(other)]).catch(() => []);
  // A file that is damaged is refused by whoever reads it.
  if (!mine || !theirs || mine.sha256 === "" || mine.section) return file;
  const { section } = theirs;
  if (!section || theirs.sha256 !== mine.sha256) {
    const hint = `Load the model that it was trained on first: the SHA-256 of its weights is ${mine.sha256}.`;
    throw new ArcherError("bad-model", "The file holds adapters alone, and they belong to another model than the one that is loaded.", hint);
  }
  const body = (await partsOf(file)(0, sizeOf(file) - 4)).slice();
  changeCount(body, 1);
  const base = sliceOf(other, section.from - 1 - BASE.length - 8, section.from + section.length);
  const sum = new Uint8Array(4);
  viewOf(sum).setUint32(0, await sumOf(base, crc32(body)), true);
  return new Blob([body, base, sum]);
}

/** The CRC-32 of a blob that follows bytes of the sum `before`, read piece by piece. */
export async function sumOf(blob: Blob, before = 0, signal?: AbortSignal): Promise<number> {
  let sum = before;
  for (let at = 0; at < blob.size; at += PIECE) {
    signal?.throwIfAborted();
    sum = crc32(await bytesOfBlob(blob.slice(at, at + PIECE)), sum);
  }
  return sum;
}

function changeCount(container: Uint8Array, by: number): void {
  const view = viewOf(container);
  view.setUint32(COUNT_AT, view.getUint32(COUNT_AT, true) + by, true);
}

function sizeOf(file: ModelFile): number {
  return file instanceof Uint8Array ? file.length : file.size;
}

/** A part of a file that stays where it is. */
function sliceOf(file: ModelFile, from: number, to: number): Blob {
  return file instanceof Uint8Array ? new Blob([file.subarray(from, to) as Uint8Array<ArrayBuffer>]) : file.slice(from, to);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
