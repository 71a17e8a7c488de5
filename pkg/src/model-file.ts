/** What a file is that should be a model: said before the core reads it, for the core knows only its own kind. */
import { ArcherError } from "./errors.js";

/** How a model file begins (docs/model-file.md). */
export const MAGIC = "ARCHERCK";

/** The layout that the small modules compute. */
export const SMALL = "gpt2";

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

/** Bytes of a file in which its header lies. */
const HEADER = 2 ** 20;

/** Whether a model file holds a language model, which the small modules do not compute, by its header. */
export async function isLanguageModel(file: ModelFile): Promise<boolean> {
  try {
    const bytes = file instanceof Uint8Array ? file : await bytesOfBlob(file.slice(0, HEADER));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const text = (at: number, length: number) => new TextDecoder().decode(bytes.subarray(at, at + length));
    let at = MAGIC.length + 8;
    for (let left = view.getUint32(MAGIC.length + 4, true); left > 0; left--) {
      const nameLength = view.getUint8(at);
      const name = text(at + 1, nameLength);
      const length = Number(view.getBigUint64(at + 1 + nameLength, true));
      at += 1 + nameLength + 8;
      if (name === "state" && JSON.parse(text(at, length)).base_sha256) return true;
      if (name === "actor_config") return JSON.parse(text(at, length)).model_type !== SMALL;
      at += length;
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
/**
 * Refuses bytes that do not begin as a model file does; `name` is how the message calls them, `ofModel` what is advised
 * besides where archer makes its file of such a one.
 */
export function refuseOther(bytes: Uint8Array, name: string, ofModel = ""): void {
  const start = String.fromCharCode(...bytes.subarray(0, 64));
  // One that is cut within its first word is damaged, which the core says.
  if (start !== "" && (start.startsWith(MAGIC) || MAGIC.startsWith(start))) return;
  const [, kind, model] = OTHERS.find(([begins]) => begins.test(start)) ?? [];
  const hint = FROM_A_RUN + (model ? ofModel : "");
  throw new ArcherError("bad-model", `${name} is not an archer model file${kind ? `: ${kind}` : ""}.`, hint);
}
