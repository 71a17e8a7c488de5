// Large model files, and servers for them: one that knows ranges, one that does not, one that dies, one whose file changes.
import { createServer } from "node:http";
import { crc32 } from "node:zlib";

/** A model file made larger by a section that nobody reads. */
export function padded(file, bytes, fill = 1) {
  const name = Buffer.from("padding");
  const head = Buffer.alloc(1 + name.length + 8);
  head[0] = name.length;
  name.copy(head, 1);
  const body = Buffer.from(file.subarray(0, file.length - 4));
  const length = bytes - body.length - head.length - 4;
  head.writeBigUInt64LE(BigInt(length), 1 + name.length);
  body.writeUInt32LE(body.readUInt32LE(12) + 1, 12);
  const padding = Buffer.alloc(length);
  for (let at = 0; at < length; at += 4096) padding[at] = (fill + at / 4096) & 255;
  const all = Buffer.concat([body, head, padding, Buffer.alloc(4)]);
  all.writeUInt32LE(checksum(all.subarray(0, -4)), all.length - 4);
  return all;
}

/** Node 20 before 20.15 has none of its own. */
function checksum(bytes) {
  if (crc32) return crc32(bytes);
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return ~sum >>> 0;
}

/**
 * Serves one file at `/model.archer`, from another origin than any page. What it does can be changed while it runs:
 * `bytes`, `etag`, `modified`, `ranges` (whether it knows them), `dieAfter` (bytes of an answer after which it ends the
 * connection), `status` (an answer of that kind instead), `lies` (whether it ignores If-Range), `slow` (milliseconds before each 256 kB). `asked` lists what was
 * asked for: method, range, if-range, and the bytes that were sent.
 */
export async function serveFile(given) {
  const file = { etag: '"1"', modified: null, ranges: true, dieAfter: Infinity, status: null, slow: 0, asked: [], headers: {}, ...given };
  const server = createServer((request, response) => void answer(file, request, response));
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  file.url = `http://127.0.0.1:${server.address().port}/model.archer`;
  file.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return file;
}

async function answer(file, request, response) {
  const { range = null } = request.headers;
  const note = { method: request.method, range, ifRange: request.headers["if-range"] ?? null, sent: 0 };
  file.asked.push(note);
  const headers = { "access-control-allow-origin": "*", "access-control-expose-headers": "ETag, Content-Range", "content-type": "application/octet-stream", ...file.headers };
  if (file.etag) headers.etag = file.etag;
  if (file.modified) headers["last-modified"] = file.modified;
  if (file.status) return response.writeHead(file.status, headers).end();
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  const ranged = file.ranges && from !== undefined && (file.lies || !note.ifRange || note.ifRange === file.etag);
  const first = ranged ? Number(from) : 0;
  const last = ranged && to ? Number(to) : file.bytes.length - 1;
  if (ranged) headers["content-range"] = `bytes ${first}-${last}/${file.bytes.length}`;
  headers["content-length"] = last - first + 1;
  response.writeHead(ranged ? 206 : 200, headers);
  const end = Math.min(last + 1, first + file.dieAfter);
  const closed = new Promise((done) => response.once("close", done));
  for (let at = first; at < end; at += 262_144) {
    const part = file.bytes.subarray(at, Math.min(at + 262_144, end));
    if (response.destroyed) return;
    if (!response.write(part)) await Promise.race([new Promise((done) => response.once("drain", done)), closed]);
    note.sent += part.length;
    if (file.slow) await new Promise((done) => setTimeout(done, file.slow));
  }
  // What was written last is still on its way.
  if (end <= last) return setTimeout(() => response.destroy(), 50);
  response.end();
}
