/** The sections of a model file (docs/model-file.md), wherever it is. */
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

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
