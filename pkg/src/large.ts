/**
 * Large files by their addresses. One request brings the file as long as it lives; where it breaks off, another one
 * asks for the rest, if the server knows ranges. What has arrived is kept in this browser. Two versions of a file are
 * never mixed: each answer is held to what the first one said of the file.
 */
import { ArcherError } from "./errors.js";
import { answered, type Arriving, bodyOf, type Bytes, lengthOf, LARGE, looked, modelBytes, refusePage, type Tell } from "./fetch.js";
import type { FetchOptions } from "./keeping-types.js";
import { canKnowAgain, type Identity, Kept, lengthOfAll, PIECE, sameFile } from "./kept.js";
import { bytesOfBlob, isBlob, type ModelFile, refuseOther } from "./model-file.js";
import { bool, callback, checked, signal as aSignal } from "./options.js";
import { present, timeout } from "./runtime.js";
import { sumOf, viewOf } from "./sections.js";
import { refuseTooLarge } from "./too-large.js";

export { describeModel } from "./describe.js";
export { forgetModel, keptModels } from "./kept.js";

/** What is wanted of an address. */
interface Want {
  address: string;
  tell: Tell;
  signal: AbortSignal | undefined;
  keep: boolean;
}

/** Requests in a row that bring nothing, after which it is given up; the pause before each is twice the one before. */
const TRIES = 5;
const FIRST_PAUSE = 500;
/** Milliseconds without a byte after which a request has broken off. */
const STALLED = 30_000;
/** Times that a file may be another than it was when its fetch began. */
const CHANGES = 3;

/** Why a request brought no more, where another one may. */
class Broken extends Error {
  constructor(readonly error: ArcherError) {
    super(error.message);
  }
}

/** A large file that is here: it stays where it is, and is read where it is computed. */
export async function chosen(file: Blob, name: string): Promise<Blob> {
  refuseTooLarge(file.size, name);
  refuseOther(await bytesOfBlob(file.slice(0, 64)), name);
  return file;
}

/** The file of an address; `first` is an answer that is there already. */
export async function arrive(want: Want, first?: Response): Promise<ModelFile> {
  const locks = present(() => navigator.locks);
  if (!want.keep) return new Download(want, null).run(first ?? null);
  const keeping = async (mine: boolean) => new Download(want, mine ? await Kept.of(want.address) : null).run(first ?? null);
  if (!locks) return keeping(true);
  // Two tabs that fetch the same file must not write the same pieces: the second one fetches for itself.
  let begun = false;
  try {
    return await (locks.request(`archer-web/fetch/${want.address}`, { ifAvailable: true }, (lock) => {
      begun = true;
      return keeping(lock !== null);
    }) as Promise<ModelFile>);
  } catch (thrown) {
    // A frame without an origin has no locks, and nothing is kept in it either.
    if (begun) throw thrown;
    return keeping(false);
  }
}

class Download {
  /** What the server said of the file, once it is known to be a large one. */
  private identity: Identity | null = null;
  /** The file in memory, where it is not kept. */
  private memory: Bytes | null = null;
  /** What has arrived after the last piece that is kept, or in memory all that has. */
  private readonly buffer = { bytes: new Uint8Array(0) as Bytes, filled: 0 };
  /** Whether what is here came with more than one answer. */
  private mended = false;

  constructor(
    private readonly want: Want,
    private kept: Kept | null,
  ) {}

  private get arrived(): number {
    return (this.kept ? lengthOfAll(this.kept.pieces) : 0) + this.buffer.filled;
  }

  async run(first: Response | null): Promise<ModelFile> {
    let response = first;
    if (!first && this.kept?.about) {
      this.identity = this.kept.about;
      this.buffer.bytes = new Uint8Array(PIECE);
      response = this.arrived === this.identity.total ? await this.unchanged() : null;
      if (this.identity && this.arrived === this.identity.total) {
        this.want.tell(this.arrived, this.arrived);
        const file = await this.whole();
        if (file) return file;
      }
    }
    return this.fetched(response);
  }

  /** Asks until all is there. */
  private async fetched(response: Response | null): Promise<ModelFile> {
    let next = response;
    let failures = 0;
    let changes = 0;
    for (;;) {
      const before = this.arrived;
      try {
        const answer = next ?? (await this.ask(this.arrived));
        next = null;
        const fits = await this.fits(answer);
        if (fits === "small") return looked(await bodyOf(answer, this.want.address, this.want.tell, this.want.signal), this.want.address);
        if (fits === "other") {
          if (++changes >= CHANGES) throw new ArcherError("network", `${this.want.address} changes while it is fetched.`, "Try again later.");
          continue;
        }
        await this.take(answer);
        const file = await this.whole();
        if (file) return file;
        // What came in one go is what the server has. Pieces of several answers are fetched once more.
        if (!this.mended || ++changes >= CHANGES) {
          throw new ArcherError("bad-model", `${this.want.address} is damaged: its checksum does not match its contents.`, "Export the file again, and put it there whole.");
        }
      } catch (caught) {
        // What has arrived is kept, unless what was kept before is gone.
        const thrown = await this.rest().then(() => caught, (lost: unknown) => (caught instanceof Broken ? lost : caught));
        this.want.signal?.throwIfAborted();
        if (!(thrown instanceof Broken)) {
          if (this.arrived === 0) await this.forget();
          throw thrown;
        }
        failures = this.arrived > before ? 1 : failures + 1;
        if (failures > TRIES) throw thrown.error;
        await this.pause(FIRST_PAUSE * 2 ** (failures - 1));
      }
    }
  }

  /**
   * Asks whether what is kept whole is still the file, for the last byte of it: a page may see no more of another
   * site's answer than how long it is, and from there on that tells the length of the file. Without a connection, or
   * where the server has trouble of its own, what is kept is good enough. Gives the answer where it brings another file.
   */
  private async unchanged(): Promise<Response | null> {
    try {
      const last = this.arrived - 1;
      const answer = await this.ask(last);
      const found = identityOf(answer, answer.status === 206 ? last : 0);
      if (found && this.identity && sameFile(found, this.identity)) {
        await answer.body?.cancel().catch(() => {});
        return null;
      }
      await this.forget();
      if (answer.status === 200) return answer;
      await answer.body?.cancel().catch(() => {});
      return null;
    } catch (thrown) {
      this.want.signal?.throwIfAborted();
      if (thrown instanceof Broken) return null;
      throw thrown;
    }
  }

  /** Asks for the file from a byte on. */
  private async ask(from: number): Promise<Response> {
    const { address, signal } = this.want;
    const headers: Record<string, string> = {};
    if (from > 0) {
      headers.range = `bytes=${from}-`;
      // Elsewhere it would need a permission of its own; there the answer is held to the validator alone.
      const strong = this.identity?.etag?.startsWith('"') ? this.identity.etag : null;
      if (strong && isOwn(address)) headers["if-range"] = strong;
    }
    const answer = answered(address, signal, { headers, ...(headers.range && { cache: "no-store" as const }) });
    try {
      // A server that is silent must not keep anyone from what is here already.
      return await (this.identity ? moving(answer) : answer);
    } catch (thrown) {
      signal?.throwIfAborted();
      if (!this.identity) throw thrown;
      if (!(thrown instanceof ArcherError)) {
        answer.then((late) => late.body?.cancel()).catch(() => {});
        throw this.brokeOff(thrown);
      }
      const { cause } = thrown;
      const status = typeof (cause as Response | undefined)?.status === "number" ? (cause as Response).status : null;
      if (status === 416 || status === 412) {
        await this.forget();
        throw new Broken(thrown);
      }
      // A server that is busy, and a connection that is gone, may be back; a file that is gone is not.
      if (status === null && thrown.code === "network") throw this.brokeOff(cause);
      if (status !== null && (status >= 500 || status === 429 || status === 408)) throw new Broken(thrown);
      throw thrown;
    }
  }

  /** Whether an answer goes on with what is here (or begins it), is about another file, or about a small one. */
  private async fits(answer: Response): Promise<"goes on" | "other" | "small"> {
    const range = answer.status === 206;
    const found = identityOf(answer, range ? this.arrived : 0);
    if (range) {
      if (found && this.identity && sameFile(found, this.identity)) return "goes on";
      await answer.body?.cancel().catch(() => {});
      await this.forget();
      return "other";
    }
    if (!found || found.total < LARGE) {
      await this.forget();
      return "small";
    }
    try {
      refuseTooLarge(found.total, this.want.address);
    } catch (thrown) {
      await answer.body?.cancel().catch(() => {});
      throw thrown;
    }
    await this.begin(found);
    return "goes on";
  }

  private async begin(identity: Identity): Promise<void> {
    this.identity = identity;
    this.mended = false;
    this.buffer.filled = 0;
    // Before another one is made: there may be no room for two.
    this.memory = null;
    this.buffer.bytes = new Uint8Array(0);
    if (this.kept && canKnowAgain(identity) && (await this.kept.begin(identity))) this.buffer.bytes = new Uint8Array(PIECE);
    else this.intoMemory(identity.total);
  }

  private intoMemory(total: number): void {
    this.kept = null;
    try {
      this.memory = this.buffer.bytes = new Uint8Array(total);
    } catch (cause) {
      throw new ArcherError("out-of-memory", `There is not enough memory for a file of ${total} bytes.`, undefined, { cause });
    }
  }

  private async forget(): Promise<void> {
    await this.kept?.remove();
    this.identity = null;
    this.memory = null;
    this.buffer.filled = 0;
  }

  /** Takes what an answer brings. */
  private async take(answer: Response): Promise<void> {
    const { address, tell, signal } = this.want;
    const { total } = this.identity as Identity;
    const reader = (answer.body as ReadableStream<Uint8Array<ArrayBuffer>>).getReader();
    tell(this.arrived, total);
    this.mended ||= this.arrived > 0;
    try {
      for (;;) {
        const { done, value } = await moving(reader.read());
        signal?.throwIfAborted();
        if (done) break;
        if (value.length === 0) continue;
        if (this.arrived === 0) {
          // Nobody waits for hundreds of megabytes to be told that they are something else.
          refusePage(value, address, answer.headers.get("content-type"));
          refuseOther(value, address);
        }
        if (this.arrived + value.length > total) throw new ArcherError("network", `${address} is longer than its server says.`);
        await this.put(value);
        tell(this.arrived, total);
      }
    } catch (cause) {
      reader.cancel().catch(() => {});
      if (cause instanceof ArcherError || cause instanceof Broken) throw cause;
      signal?.throwIfAborted();
      // A connection that fails after the last byte has brought all of them.
      if (this.arrived < total) throw this.brokeOff(cause);
    }
    if (this.arrived < total) throw this.brokeOff(undefined);
  }

  private brokeOff(cause: unknown): Broken {
    const { total } = this.identity as Identity;
    const message = `${this.want.address} broke off after ${this.arrived} of ${total} bytes.`;
    const hint = this.kept ? "Check the connection and try again: what has arrived is kept." : undefined;
    return new Broken(new ArcherError("network", message, hint, { cause }));
  }

  private async put(chunk: Bytes): Promise<void> {
    let left = chunk;
    while (left.length > 0) {
      const { bytes, filled } = this.buffer;
      const part = left.subarray(0, bytes.length - filled);
      bytes.set(part, filled);
      this.buffer.filled += part.length;
      left = left.subarray(part.length);
      if (this.buffer.filled === bytes.length) await this.rest();
    }
  }

  /** Keeps what has arrived since the last piece. A browser that is full keeps nothing more: the file goes on in memory. */
  private async rest(): Promise<void> {
    const { kept, buffer } = this;
    if (!kept?.about || buffer.filled === 0) return;
    const bytes = buffer.bytes.slice(0, buffer.filled);
    try {
      await kept.add(bytes);
      buffer.filled = 0;
    } catch {
      await this.goOnInMemory(kept, bytes);
    }
  }

  private async goOnInMemory(kept: Kept, last: Bytes): Promise<void> {
    const { buffer } = this;
    const { pieces } = kept;
    this.intoMemory((this.identity as Identity).total);
    buffer.filled = 0;
    try {
      for (const part of [...pieces, new Blob([last])]) {
        buffer.bytes.set(new Uint8Array(await part.arrayBuffer()), buffer.filled);
        buffer.filled += part.size;
      }
    } catch (cause) {
      // It was forgotten meanwhile, by another tab or by the browser: all of it is fetched again.
      await this.forget();
      const message = `What was kept of ${this.want.address} was removed while the rest was fetched.`;
      throw new Broken(new ArcherError("network", message, "Try again.", { cause }));
    } finally {
      await kept.remove();
    }
  }

  /** The file, once all of it is here; nothing where pieces that were kept do not make it. */
  private async whole(): Promise<ModelFile | null> {
    await this.rest();
    if (!this.kept) return this.memory;
    const file = new Blob(this.kept.pieces);
    const right = await sumsUp(file, this.want.signal).catch(() => {
      // What cannot be read was removed meanwhile, and says nothing of the server's file.
      this.mended = true;
      return false;
    });
    this.want.signal?.throwIfAborted();
    if (right) return file;
    await this.forget();
    return null;
  }

  private pause(ms: number): Promise<void> {
    const { signal } = this.want;
    const late = timeout(ms);
    return new Promise((resolve, reject) => {
      const stop = () => {
        late.clear();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", stop, { once: true });
      void late.promise.then(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      });
    });
  }
}

/** What an answer says of the whole file; `from` is the byte that it should begin with. Nothing where that is not its beginning, or where it is packed. */
function identityOf(answer: Response, from: number): Identity | null {
  const { headers } = answer;
  const length = lengthOf(answer);
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get("content-range") ?? "");
  if (answer.status === 206 && range && Number(range[1]) !== from) return null;
  // From elsewhere a page may see no more than the length of the rest.
  const total = range ? Number(range[2]) : length === null ? null : length + (answer.status === 206 ? from : 0);
  if (total === null || headers.has("content-encoding")) return null;
  return { etag: headers.get("etag"), modified: headers.get("last-modified"), total };
}

/** Whether an address is of the page's own origin, or nobody asks where it is. */
function isOwn(address: string): boolean {
  const page = present(() => location.origin);
  return page === undefined || present(() => new URL(address).origin) === page;
}

/** What is read, unless it does not move. */
async function moving<T>(read: Promise<T>): Promise<T> {
  const late = timeout(STALLED);
  const stalled = late.promise.then((): never => {
    throw new Error(`nothing has arrived for ${STALLED / 1000} seconds`);
  });
  try {
    return await Promise.race([read, stalled]);
  } finally {
    late.clear();
  }
}

/** Whether the checksum at the end of a model file is that of the rest, read piece by piece. */
async function sumsUp(file: Blob, signal: AbortSignal | undefined): Promise<boolean> {
  const end = file.size - 4;
  const sum = await sumOf(file.slice(0, end), 0, signal);
  return sum === viewOf(new Uint8Array(await file.slice(end).arrayBuffer())).getUint32(0, true);
}

const FETCH = { keep: bool, onProgress: callback, signal: aSignal };

/** A model file by its address, without loading it. */
export async function fetchModel(address: string | URL, given?: FetchOptions): Promise<Blob> {
  const { keep = true, onProgress, signal } = checked("fetchModel", given, FETCH);
  const tell: Arriving["onProgress"] = onProgress && ((raw) => "loaded" in raw && onProgress({ loaded: raw.loaded, total: raw.total }));
  const file = await modelBytes(address, { keep, onProgress: tell, signal: signal as AbortSignal | undefined });
  return isBlob(file) ? file : new Blob([file as Bytes]);
}
