/** What a file is that should be a model: said before the core reads it, for the core knows only its own kind. */
import { ArcherError } from "./errors.js";

/** How a model file begins (docs/model-file.md). */
export const MAGIC = "ARCHERCK";

/** The newest version of the container that the core reads. */
export const CONTAINER_VERSION = 2;

/** The layout that the small modules compute. */
export const SMALL = "gpt2";

/** The frozen model under adapters. */
export const BASE = "base/model.safetensors";

/** The largest file that a module of 32 bits can take in. */
const LARGEST = 2 ** 31 - 1;

/** Refuses a file that no page can load, before anything of it is fetched or read. */
export function refuseTooLarge(bytes: number, name: string): void {
  if (bytes <= LARGEST) return;
  const size = `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const hint = "Export it in fewer bits (archer export --precision q4), or choose a smaller model.";
  throw new ArcherError("out-of-memory", `${name} has ${size}; a page can load 2 GiB at the most.`, hint);
}

/** A model file: its bytes, or a blob that is read where it is computed, so that no other thread holds it. */
export type ModelFile = Uint8Array | Blob;

/** Whether this is a file, and no description of an agent that is to be made. */
export function isModelFile(value: unknown): value is ModelFile {
  return value instanceof Uint8Array || isBlob(value);
}

/** By its tag, for it may come from another window. */
export function isBlob(value: unknown): value is Blob {
  return /^\[object (Blob|File)\]$/.test(Object.prototype.toString.call(value));
}

/** All of a file. */
export async function bytesOfFile(file: ModelFile): Promise<Uint8Array> {
  return file instanceof Uint8Array ? file : bytesOfBlob(file);
}

/** The bytes of a blob: one of a file on the disk holds only as long as that file is there. */
export async function bytesOfBlob(blob: Blob): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    if (!/^Not(Found|Readable)Error$/.test((cause as Error).name)) throw cause;
    throw new ArcherError("bad-model", "The file cannot be read any more: it was changed or removed meanwhile.", "Choose it again.", { cause });
  }
}

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

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Whether a model file holds a language model, which the small modules do not compute, by its headers. */
export async function isLanguageModel(file: ModelFile): Promise<boolean> {
  const part = partsOf(file);
  try {
    for await (const { name, from, length } of sectionsOf(part)) {
      if (name === BASE) return true;
      if (name === "actor_config" && JSON.parse(textOf(await part(from, from + length))).model_type !== SMALL) return true;
    }
  } catch {
    // A file that is damaged is refused by whoever reads it.
  }
  return false;
}

/** Kinds of files that are taken for a model, by how they begin; and whether archer makes its file of one. */
const OTHERS: [RegExp, string, true?][] = [
  [/^$/, "it is empty"],
  [/^version https:\/\/git-lfs/, "it is a pointer of Git LFS, whose file was not fetched"],
  [/^.{8}\{"/s, "it is a file of weights (safetensors)", true],
  [/^GGUF/, "it is a GGUF file", true],
  [/^PK\x03\x04/, "it is a zip file"],
  [/^\x1f\x8b/, "it is compressed with gzip"],
  [/^\x80[\x02-\x05]/, "it is a Python pickle"],
  [/^(\x89PNG|\xff\xd8\xff|GIF8|RIFF)/, "it is an image or a sound file"],
  [/^%PDF/, "it is a PDF"],
  [/^(\xef\xbb\xbf)?\s*<(!doctype|html|head|!--|\?xml)/i, "it is an HTML page"],
  [/^(\xef\xbb\xbf)?\s*[{[]/, "it is JSON", true],
];

const FROM_A_RUN = "Choose a file that archer exported. To make one from a model folder, run archer export --model FOLDER --out FILE.";
/** A model that others published becomes one by a run that trains nothing. */
const FROM_A_MODEL =
  "For a model that others published, make that folder first: archer train --preset new-world --world WORLD --set actor=MODEL " +
  "--set lora.rank=8 --set iterations=0 --out FOLDER.";

/** Refuses bytes that do not begin as a model file does; `name` is how the message calls them. */
export function refuseOther(bytes: Uint8Array, name: string): void {
  const start = String.fromCharCode(...bytes.subarray(0, 64));
  // One that is cut within its first word is damaged, which the core says.
  if (start !== "" && (start.startsWith(MAGIC) || MAGIC.startsWith(start))) return;
  const [, kind, model] = OTHERS.find(([begins]) => begins.test(start)) ?? [];
  const hint = model ? `${FROM_A_RUN} ${FROM_A_MODEL}` : FROM_A_RUN;
  throw new ArcherError("bad-model", `${name} is not an archer model file${kind ? `: ${kind}` : ""}.`, hint);
}
