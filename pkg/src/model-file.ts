/** What a file is that should be a model: said before the core reads it, for the core knows only its own kind. */
import { ArcherError } from "./errors.js";

/** How a model file begins (docs/model-file.md). */
const MAGIC = "ARCHERCK";

/** The layout that the small modules compute. */
const SMALL = "gpt2";

/** Whether a model file holds a language model of another layout than agents from nothing have, by its headers. */
export function isLanguageModel(file: Uint8Array): boolean {
  try {
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    const text = (at: number, length: number) => new TextDecoder().decode(file.subarray(at, at + length));
    let at = MAGIC.length + 8;
    for (let left = view.getUint32(MAGIC.length + 4, true); left > 0; left--) {
      const nameLength = view.getUint8(at);
      const name = text(at + 1, nameLength);
      const length = Number(view.getBigUint64(at + 1 + nameLength, true));
      at += 1 + nameLength + 8;
      if (name === "actor_config") return JSON.parse(text(at, length)).model_type !== SMALL;
      at += length;
    }
  } catch {
    // A file that is damaged is refused by whoever reads it.
  }
  return false;
}

/** Kinds of files that are taken for a model, by how they begin. */
const OTHERS: [RegExp, string][] = [
  [/^$/, "it is empty"],
  [/^version https:\/\/git-lfs/, "it is a pointer of Git LFS, whose file was not fetched"],
  [/^.{8}\{"/s, "it is a file of weights (safetensors)"],
  [/^GGUF/, "it is a GGUF file"],
  [/^PK\x03\x04/, "it is a zip file"],
  [/^\x1f\x8b/, "it is compressed with gzip"],
  [/^\x80[\x02-\x05]/, "it is a Python pickle"],
  [/^(\x89PNG|\xff\xd8\xff|GIF8|RIFF)/, "it is an image or a sound file"],
  [/^%PDF/, "it is a PDF"],
  [/^(\xef\xbb\xbf)?\s*<(!doctype|html|head|!--|\?xml)/i, "it is an HTML page"],
  [/^(\xef\xbb\xbf)?\s*[{[]/, "it is JSON"],
];

/** Refuses bytes that do not begin as a model file does; `name` is how the message calls them. */
export function refuseOther(bytes: Uint8Array, name: string): void {
  const start = String.fromCharCode(...bytes.subarray(0, 64));
  // One that is cut within its first word is damaged, which the core says.
  if (start !== "" && (start.startsWith(MAGIC) || MAGIC.startsWith(start))) return;
  const kind = OTHERS.find(([begins]) => begins.test(start))?.[1];
  const made = "Choose a file that archer exported. To make one from a model folder, run archer export --model FOLDER --out FILE.";
  throw new ArcherError("bad-model", `${name} is not an archer model file${kind ? `: ${kind}` : ""}.`, made);
}
