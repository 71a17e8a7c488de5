/** What a file is that should be a model: said before the core reads it, for the core knows only its own kind. */
import { ArcherError } from "./errors.js";

/** How a model file begins (docs/model-file.md). */
const MAGIC = "ARCHERCK";

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
