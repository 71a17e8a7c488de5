/** The checksum at the end of a model file (docs/model-file.md). */

/** Bytes that are summed in one step: byte by byte, a file of 150 MB would take more than a second. */
const WIDTH = 8;

/** What each value of a byte comes to: `WIDTH` tables one after the other, the last of them for the first byte of a step. */
const TABLE = new Uint32Array(WIDTH * 256);
for (let byte = 0; byte < 256; byte++) {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  TABLE[byte] = sum;
}
for (let at = 256; at < TABLE.length; at++) {
  const before = entry(at - 256);
  TABLE[at] = (before >>> 8) ^ entry(before & 255);
}

function entry(at: number): number {
  return TABLE[at] as number;
}

/** The CRC-32 of some bytes that follow those of the sum `before`. */
export function crc32(bytes: Uint8Array, before = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - (bytes.length % WIDTH);
  let sum = ~before;
  let at = 0;
  for (; at < whole; at += WIDTH) {
    const low = sum ^ view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    sum =
      entry(0x700 | (low & 255)) ^ entry(0x600 | ((low >>> 8) & 255)) ^ entry(0x500 | ((low >>> 16) & 255)) ^ entry(0x400 | (low >>> 24)) ^
      entry(0x300 | (high & 255)) ^ entry(0x200 | ((high >>> 8) & 255)) ^ entry(0x100 | ((high >>> 16) & 255)) ^ entry(high >>> 24);
  }
  for (; at < bytes.length; at++) sum = (sum >>> 8) ^ entry((sum ^ (bytes[at] as number)) & 255);
  return ~sum >>> 0;
}
