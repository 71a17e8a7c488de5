/** Bytes from wherever they are, with progress, in a page, a worker and Node. */
import { ArcherError } from "./errors.js";
import type { LoadOptions, LoadProgress } from "./types.js";

type OnProgress = ((progress: LoadProgress) => void) | undefined;

/** Fetches and compiles a module. */
export async function compile(source: string | URL, onProgress: OnProgress, signal?: AbortSignal): Promise<WebAssembly.Module> {
  if (!hasSimd()) throw new ArcherError("no-wasm-simd", "This runtime has no WebAssembly with SIMD.");
  const bytes = await fetchBytes(source, "wasm", onProgress, signal);
  return WebAssembly.compile(bytes);
}

/** The bytes of a model, in whichever form it was given. */
export async function modelBytes(
  model: NonNullable<LoadOptions["model"]>,
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  if (typeof model === "string" || model instanceof URL) return fetchBytes(model, "model", onProgress, signal);
  return bytesOf(model);
}

/** The bytes of something that is already here; a copy, which the caller may give away. */
export async function bytesOf(file: ArrayBuffer | Uint8Array | Blob): Promise<Uint8Array<ArrayBuffer>> {
  if (file instanceof Blob) return new Uint8Array(await file.arrayBuffer());
  return new Uint8Array(file instanceof ArrayBuffer ? file.slice(0) : file);
}

async function fetchBytes(
  source: string | URL,
  stage: "wasm" | "model",
  onProgress: OnProgress,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  signal?.throwIfAborted();
  const what = stage === "wasm" ? "the program" : "the model";
  const tell = (loaded: number, total: number | null) =>
    onProgress?.({ stage, loaded, total, message: `Fetching ${what}.` });
  const address = String(source);
  if (address.startsWith("file:")) return readFile(address, tell);
  let response: Response;
  try {
    response = await fetch(address, signal ? { signal } : {});
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ArcherError("network", `${address} could not be fetched.`, undefined, { cause });
  }
  if (!response.ok || !response.body) {
    throw new ArcherError("network", `${address} could not be fetched: the server says ${response.status}.`);
  }
  // The length is that of the packed form where a server packs.
  const packed = response.headers.has("content-encoding");
  const length = Number(response.headers.get("content-length"));
  const total = !packed && length > 0 ? length : null;
  const parts: Uint8Array[] = [];
  let loaded = 0;
  tell(0, total);
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      loaded += value.length;
      tell(loaded, total);
    }
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ArcherError("network", `${address} broke off after ${loaded} bytes.`, undefined, { cause });
  }
  const bytes = new Uint8Array(loaded);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

async function readFile(address: string, tell: (loaded: number, total: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  // Named at run time, so that bundlers for browsers leave it alone.
  const fs: typeof import("node:fs/promises") = await import(/* @vite-ignore */ nodeModule("fs/promises"));
  try {
    const bytes = new Uint8Array(await fs.readFile(new URL(address)));
    tell(bytes.length, bytes.length);
    return bytes;
  } catch (cause) {
    throw new ArcherError("network", `${address} could not be read.`, undefined, { cause });
  }
}

function nodeModule(name: string): string {
  return `node:${name}`;
}

/** Whether WebAssembly with SIMD is there: the smallest module that uses an instruction of it. */
export function hasSimd(): boolean {
  const module = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
  return typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array(module));
}
