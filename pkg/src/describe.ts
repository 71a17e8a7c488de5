/** What a model file is, by its headers: said before all of it is fetched or any of it is computed with. */
import { ArcherError } from "./errors.js";
import { answered, isAddress, lengthOf, refusePage, whole } from "./fetch.js";
import type { ModelDescription, ModelSource } from "./keeping-types.js";
import { isBlob, MAGIC, type ModelFile, refuseOther, SMALL } from "./model-file.js";
import { checked, FILE, fits, signal as aSignal } from "./options.js";
import { type Part, partsOf, sectionsOf, textOf, viewOf } from "./sections.js";
import { refuseTooLarge } from "./too-large.js";

/** The most bytes of the header: nothing more is read, whatever a file says of itself. */
const MOST = 32 * 2 ** 20;

/** The newest version of the container that the core reads. */
const CONTAINER_VERSION = 2;

/** A model that others published becomes one by a run that trains nothing. */
const FROM_A_MODEL =
  " For a model that others published, make that folder first: archer train --preset new-world --world WORLD --set actor=MODEL " +
  "--set lora.rank=8 --set iterations=0 --set warm_start.steps=0 --final-games 0 --out FOLDER.";

/** What is advised where an address has no file. */
const MISSING = "Check the address. It must be that of the file itself, not of a page about it.";

/** A JSON object of a stranger's file, so its values may have any type. */
type Shape = Partial<Record<string, unknown>>;

const DESCRIBE = { signal: aSignal };

export async function describeModel(model: ModelSource, given?: { signal?: AbortSignal }): Promise<ModelDescription> {
  const { signal } = checked("describe", given, DESCRIBE);
  if (isAddress(model)) return elsewhere(whole(model), signal);
  if (!fits(model, FILE)) throw new ArcherError("usage", "describe was given no model.", "It takes an address, bytes or a Blob.");
  const file: ModelFile = isBlob(model) ? model : viewed(model as ArrayBuffer | Uint8Array);
  const { name } = model as { name?: unknown };
  const size = isBlob(file) ? file.size : file.length;
  const named = typeof name === "string" && name ? name : "The file";
  const parts = partsOf(file);
  const part: Part = (from, to) => {
    signal?.throwIfAborted();
    return parts(from, to);
  };
  const described = await read(part, size, named);
  await checkLength(part, size, named);
  return described;
}

function viewed(bytes: ArrayBuffer | Uint8Array): Uint8Array {
  return ArrayBuffer.isView(bytes) ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength) : new Uint8Array(bytes);
}

/** Refuses a file whose sections do not fill it: one that was cut, most often. */
async function checkLength(part: Part, size: number, name: string): Promise<void> {
  let end = 0;
  for await (const { from, length } of sectionsOf(part)) end = from + length;
  if (end + 4 === size) return;
  throw new ArcherError("bad-model", `${name} is damaged: it has ${size} bytes, and its sections end at ${end}.`, "Copy or fetch the file again, whole.");
}

/** Reads the beginning of a file elsewhere, and no more than is needed. */
async function elsewhere(address: string, signal: AbortSignal | undefined): Promise<ModelDescription> {
  const given = new AbortController();
  const giveUp = () => given.abort(signal?.reason);
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    const response = await answered(address, given.signal, {}, MISSING);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let bytes = new Uint8Array(0);
    let done = false;
    const part: Part = async (from, to) => {
      while (!done && bytes.length < to && bytes.length < MOST) {
        const next = await reader.read();
        done = next.done;
        if (next.value) bytes = joined(bytes, next.value);
        refusePage(bytes, address, response.headers.get("content-type"));
        refuseOther(bytes, address, FROM_A_MODEL);
      }
      return bytes.subarray(from, to);
    };
    return await read(part, lengthOf(response), address);
  } catch (thrown) {
    signal?.throwIfAborted();
    if (thrown instanceof ArcherError) throw thrown;
    throw new ArcherError("network", `${address} broke off.`, undefined, { cause: thrown });
  } finally {
    signal?.removeEventListener("abort", giveUp);
    given.abort();
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

async function read(part: Part, size: number | null, name: string): Promise<ModelDescription> {
  const start = await part(0, 64);
  refuseOther(start, name, FROM_A_MODEL);
  if (size !== null) refuseTooLarge(size, name);
  const damaged = (why: string) => new ArcherError("bad-model", `${name} is damaged: ${why}.`, "Copy or fetch the file again, whole.");
  if (start.length < MAGIC.length + 8) throw damaged("it is cut");
  const version = viewOf(start).getUint32(MAGIC.length, true);
  if (version > CONTAINER_VERSION) {
    throw new ArcherError("version-mismatch", `${name} is of version ${version}; this page reads versions 1 to ${CONTAINER_VERSION}.`);
  }
  let header: Shape | null = null;
  let shape: Shape | null = null;
  for await (const section of sectionsOf(part)) {
    if (section.name !== "state" && section.name !== "actor_config") continue;
    if (section.from + section.length > Math.min(MOST, size ?? MOST)) throw damaged("a section of it is longer than it can be");
    const value = json(textOf(await part(section.from, section.from + section.length)));
    if (!value) throw damaged(`${section.name} cannot be read`);
    if (section.name === "state") header = value;
    else shape = value;
    if (header && shape) return described(header, shape, size);
  }
  throw damaged("it ends before it says what it is");
}

function json(text: string): Shape | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Shape {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function objectOf(value: unknown): Shape {
  return isObject(value) ? value : {};
}

function stringOf(value: unknown, otherwise = ""): string {
  return typeof value === "string" ? value : otherwise;
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}

/** What the header says; older files say less. */
function described(header: Shape, shape: Shape, bytes: number | null): ModelDescription {
  const { iteration, opening, precision, base_sha256, about } = header;
  const config = objectOf(header.config);
  const number = (...names: string[]) => numberOf(names.map((name) => shape[name]).find((value) => typeof value === "number"));
  const layout = stringOf(shape.model_type);
  const language = layout !== SMALL || stringOf(base_sha256) !== "";
  const { name: world, ...settings } = objectOf(config.world);
  return {
    bytes,
    kind: language ? "language-model" : "agent",
    layout,
    layers: number("num_hidden_layers", "n_layer"),
    width: number("hidden_size", "n_embd"),
    vocabulary: number("vocab_size"),
    positions: number("max_position_embeddings", "n_positions"),
    // One that a program or a server brings has its name from there, and none among its settings.
    world: stringOf(objectOf(about).name) || stringOf(world, "unknown"),
    settings,
    opening: typeof opening === "string" ? opening : null,
    algorithm: stringOf(config.algorithm),
    rank: numberOf(objectOf(config.lora).rank),
    iterations: numberOf(iteration),
    licence: stringOf(objectOf(header.origin).licence),
    precision: stringOf(precision, "f32"),
    memory: language && bytes !== null ? memoryOf(bytes) : null,
  };
}

/** What was measured of whole tabs (docs/browser.md): so many times the file, and so many bytes besides. */
const LOADING = { times: 1.25, besides: 340e6 };
/** Eight games of two turns, some 150 tokens each; longer ones take more. */
const TUNING = { times: 10.7, besides: 340e6 };

function memoryOf(bytes: number): { load: number; fineTune: number } {
  const of = ({ times, besides }: typeof LOADING) => Math.round(bytes * times + besides);
  return { load: of(LOADING), fineTune: of(TUNING) };
}
