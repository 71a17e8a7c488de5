/** Bytes from wherever they are, with progress, in a page, a worker and Node. */
import { ArcherError, messageOf } from "./errors.js";
import { bytesOfBlob, isBlob, type ModelFile, refuseOther } from "./model-file.js";
import { PolicyWatch } from "./policy.js";
import type { RawProgress } from "./progress.js";
import { isLocated, nodeModule, placed, present } from "./runtime.js";
import type { LoadOptions } from "./types.js";

type OnProgress = ((progress: RawProgress) => void) | undefined;
export type Bytes = Uint8Array<ArrayBuffer>;
export type Tell = (loaded: number, total: number | null) => void;

/** A program as it can be handed to a worker: its address, its bytes, or compiled. */
export type Program = string | URL | Bytes | WebAssembly.Module;

const WASM_TYPE = "application/wasm";

/** Advice where the package's own file is not where its script looks. */
const COPY =
  "If a bundler built this page: let it copy archer-web's .wasm and .archer files and its archer-worker.js beside its output, " +
  "or pass their addresses to load (wasm, model, worker). The package's README has an entry for each bundler.";

/** What `LoadOptions.wasm` may hold, as a program; a response is read here, for it cannot be sent to a worker. */
export async function programOf(given: NonNullable<LoadOptions["wasm"]>["cpu"]): Promise<Program | undefined> {
  if (given === undefined || isModule(given)) return given as WebAssembly.Module | undefined;
  if (isAddress(given)) return whole(given);
  if (isResponse(given)) return bodyOf(given, given.url || "The program", () => {});
  return copied(given as ArrayBuffer | ArrayBufferView);
}

/** An address as a worker understands it, too, which stands elsewhere than the page. */
export function whole(address: string | URL): string {
  const base = present(() => document.baseURI) ?? present(() => location.href);
  const found = present(() => new URL(address, base).href);
  if (found) return found;
  const hint = 'Pass a whole address, such as new URL("./file", import.meta.url).';
  throw new ArcherError("usage", `${JSON.stringify(String(address))} is not a complete address.`, hint);
}

/** A program, fetched where it must be, and compiled. */
export async function compile(source: Program, onProgress: OnProgress, signal?: AbortSignal): Promise<WebAssembly.Module> {
  if (!hasSimd()) throw new ArcherError("no-wasm-simd", "This runtime has no WebAssembly with SIMD.");
  if (isModule(source)) return source as WebAssembly.Module;
  const tell: Tell = (loaded, total) => onProgress?.({ stage: "wasm", loaded, total });
  if (source instanceof Uint8Array) return compileBytes(source, "The program");
  const address = String(source);
  if (isFile(address)) return compileBytes(await readFile(address, tell), address);
  const response = await answered(address, signal);
  if (!response.body || typeof WebAssembly.compileStreaming !== "function") {
    return compileBytes(await bodyOf(response, address, tell, signal), address);
  }
  // Compiled while it arrives. What the server calls its type does not matter: the bytes are looked at.
  const watched = new Watched(response, address, tell);
  try {
    return await WebAssembly.compileStreaming(new Response(watched.body, { headers: { "content-type": WASM_TYPE } }));
  } catch (cause) {
    signal?.throwIfAborted();
    throw watched.failed ?? notCompiled(address, cause);
  }
}

async function compileBytes(bytes: Bytes, from: string): Promise<WebAssembly.Module> {
  refusePage(bytes, from, null);
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    throw notCompiled(from, cause);
  }
}

function notCompiled(from: string, cause: unknown): ArcherError {
  const why = messageOf(cause);
  if (/content security|\bCSP\b|unsafe-eval/i.test(why)) {
    return new ArcherError(
      "blocked",
      "The page's Content-Security-Policy forbids WebAssembly.",
      "Add 'wasm-unsafe-eval' to its script-src.",
      { cause },
    );
  }
  if (cause instanceof RangeError || /out of memory/i.test(why)) {
    return new ArcherError("out-of-memory", `There was not enough memory to compile ${from}.`, undefined, { cause });
  }
  return new ArcherError("network", `${from} is not a WebAssembly module (${why}).`, "Serve the package's own .wasm file there, whole and unchanged.", { cause });
}

/** From this many bytes on a file is fetched with care: what has arrived is kept, and a fetch that breaks off goes on. */
export const LARGE = 16 * 2 ** 20;

/** The folder of the origin's private file system that holds what is kept of large files. */
export const FOLDER = "archer-web";

/** How a model is to arrive. */
export interface Arriving {
  onProgress: OnProgress;
  signal: AbortSignal | undefined;
  /** Whether a large file is kept in this browser. */
  keep: boolean;
}

/** A model, in whichever form it was given. */
export async function modelBytes(model: NonNullable<LoadOptions["model"]>, { onProgress, signal, keep }: Arriving): Promise<ModelFile> {
  if (!isAddress(model)) return modelOf(model);
  const address = whole(model);
  const tell: Tell = (loaded, total) => onProgress?.({ stage: "model", loaded, total });
  signal?.throwIfAborted();
  if (isFile(address)) return looked(await readFile(address, tell), address);
  const want = { address, tell, signal, keep };
  // Most pages keep nothing, and need none of the code for it. The package's own models are small, and are asked for at once.
  if (keep && !isLocated(model) && (await keepsAnything())) return (await import("./large.js")).arrive(want);
  const response = await answered(address, signal);
  if ((lengthOf(response) ?? 0) >= LARGE) return (await import("./large.js")).arrive(want, response);
  return looked(await bodyOf(response, address, tell, signal), address);
}

/** Refuses bytes that are no model file. */
export function looked(bytes: Bytes, address: string): Bytes {
  refusePage(bytes, address, null);
  refuseOther(bytes, address);
  return bytes;
}

/** Whether anything is kept in this browser. Where that is forbidden, as in a frame without an origin, nothing is. */
async function keepsAnything(): Promise<boolean> {
  const root = await present(() => navigator.storage.getDirectory())?.catch(() => null);
  return (await root?.getDirectoryHandle(FOLDER).then(Boolean, () => false)) ?? false;
}

/** A model file that is here. */
export async function modelOf(file: ArrayBuffer | ArrayBufferView | Blob): Promise<ModelFile> {
  const { name, size = 0 } = file as { name?: unknown; size?: number };
  const named = typeof name === "string" && name ? name : "The file";
  if (isBlob(file) && size >= LARGE) return (await import("./large.js")).chosen(file, named);
  const bytes = await bytesOf(file);
  refuseOther(bytes, named);
  return bytes;
}

/** The bytes of something that is already here; a copy, which the caller may give away. */
async function bytesOf(file: ArrayBuffer | ArrayBufferView | Blob): Promise<Bytes> {
  return "arrayBuffer" in file ? bytesOfBlob(file) : copied(file);
}

function copied(given: ArrayBuffer | ArrayBufferView): Bytes {
  const view = ArrayBuffer.isView(given) ? new Uint8Array(given.buffer, given.byteOffset, given.byteLength) : new Uint8Array(given);
  return new Uint8Array(view);
}

/** A response that holds what was asked for. */
export async function answered(address: string, signal?: AbortSignal, init: RequestInit = {}, missing: string = COPY): Promise<Response> {
  signal?.throwIfAborted();
  const policy = new PolicyWatch();
  let response: Response;
  try {
    response = await fetch(placed(address), signal ? { ...init, signal } : init);
  } catch (cause) {
    signal?.throwIfAborted();
    throw (await policy.forbade(address)) ?? new ArcherError("network", `${address} could not be fetched.`, unreachable(address), { cause });
  } finally {
    policy.end();
  }
  if (!response.ok) {
    const hint = response.status === 404 ? missing : "Try again later, or look into the server.";
    throw new ArcherError("network", `${address} could not be fetched: the server says ${response.status}.`, hint, { cause: response });
  }
  return response;
}

function unreachable(address: string): string | undefined {
  if (!/^https?:/.test(address)) return COPY;
  const elsewhere = present(() => new URL(address).origin !== location.origin);
  return elsewhere ? "Check the connection; and let that server allow it (Access-Control-Allow-Origin)." : undefined;
}

/** How many bytes a body has, where the server says it. The length is that of the packed form where a server packs. */
export function lengthOf(response: Response): number | null {
  const length = Number(response.headers.get("content-length"));
  return !response.headers.has("content-encoding") && length > 0 ? length : null;
}

/** A body as it arrives: counted, and looked at, before anyone takes it for what it should be. */
class Watched {
  readonly body: ReadableStream<Uint8Array>;
  /** Why it is not what it should be. */
  failed: ArcherError | null = null;

  constructor(response: Response, address: string, tell: Tell) {
    const total = lengthOf(response);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let loaded = 0;
    tell(0, total);
    this.body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        try {
          const { done, value } = await reader.read();
          if (done) {
            if (loaded === 0) throw new ArcherError("network", `${address} is empty.`, COPY);
            return controller.close();
          }
          if (loaded === 0) refusePage(value, address, response.headers.get("content-type"));
          loaded += value.length;
          tell(loaded, total);
          controller.enqueue(value);
        } catch (cause) {
          this.failed = cause instanceof ArcherError ? cause : new ArcherError("network", `${address} broke off after ${loaded} bytes.`, undefined, { cause });
          controller.error(this.failed);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    });
  }
}

export async function bodyOf(response: Response, address: string, tell: Tell, signal?: AbortSignal): Promise<Bytes> {
  if (!response.ok) throw new ArcherError("network", `${address} could not be fetched: the server says ${response.status}.`);
  if (!response.body || response.bodyUsed) {
    throw new ArcherError("usage", `The response of ${address} was already read.`, "Pass an unread response, such as response.clone().");
  }
  const watched = new Watched(response, address, tell);
  try {
    return new Uint8Array(await new Response(watched.body).arrayBuffer());
  } catch (cause) {
    signal?.throwIfAborted();
    throw watched.failed ?? new ArcherError("network", `${address} broke off.`, undefined, { cause });
  }
}

/** Refuses a page: servers of single-page sites send theirs, and say 200, where a file is missing. */
export function refusePage(start: Uint8Array, address: string, type: string | null): void {
  const text = String.fromCharCode(...start.subarray(0, 200));
  if (!/^(\xEF\xBB\xBF)?\s*<(!doctype|html|head|!--|\?xml)/i.test(text)) return;
  const told = type ? ` (${type})` : "";
  throw new ArcherError("network", `${address} is an HTML page${told}, not archer's file: the file is missing there.`, COPY);
}

function isResponse(value: unknown): value is Response {
  return typeof Response === "function" && (value instanceof Response || Object.prototype.toString.call(value) === "[object Response]");
}

export function isAddress(value: unknown): value is string | URL {
  return typeof value === "string" || Object.prototype.toString.call(value) === "[object URL]";
}

/** By its tag, for it may come from another window. */
function isModule(value: unknown): boolean {
  return Object.prototype.toString.call(value) === "[object WebAssembly.Module]";
}

function isFile(address: string): boolean {
  return address.startsWith("file:");
}

async function readFile(address: string, tell: Tell): Promise<Bytes> {
  const fs = (await nodeModule("fs/promises").catch(() => undefined)) as typeof import("node:fs/promises") | undefined;
  if (!fs) {
    // What shows pages of its own, such as Electron, may allow it.
    const response = await fetch(address).catch(() => undefined);
    if (response) return bodyOf(response, address, tell);
    throw new ArcherError(
      "blocked",
      `${address} cannot be read: a browser lets a page that was opened as a file read no other file.`,
      "Serve the folder (python3 -m http.server), or pass the bytes (wasm, model).",
    );
  }
  try {
    const bytes = new Uint8Array(await fs.readFile(new URL(address)));
    tell(bytes.length, bytes.length);
    return bytes;
  } catch (cause) {
    const missing = (cause as { code?: string }).code === "ENOENT";
    const hint = missing
      ? "Check the path. If a bundler built this program, let it leave archer-web outside (Next.js: serverExternalPackages)."
      : undefined;
    throw new ArcherError("network", `${address} could not be read: ${missing ? "it does not exist" : messageOf(cause)}.`, hint, { cause });
  }
}

/** Whether WebAssembly with SIMD is there: the smallest module that uses an instruction of it. */
export function hasSimd(): boolean {
  const module = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
  return present(() => WebAssembly.validate(new Uint8Array(module))) === true;
}

