/** What the runtime offers. A browser may throw when something forbidden is only looked at: that counts as not there. */

/** What `look` finds, or nothing where it finds nothing or is refused. */
export function present<T>(look: () => T | null | undefined): T | undefined {
  try {
    return look() ?? undefined;
  } catch {
    return undefined;
  }
}

type NodeProcess = { versions?: { node?: string }; getBuiltinModule?(name: string): unknown };

/** Node's own `process`, where there is one: in Node, in what imitates it, and in a test's make-believe browser. */
function nodeProcess(): NodeProcess | undefined {
  const found = present(() => (globalThis as { process?: NodeProcess }).process);
  return found?.versions?.node ? found : undefined;
}

/** A module of Node's by its name, such as `fs/promises`, or nothing where this is not Node. */
export async function nodeModule(name: string): Promise<unknown> {
  const node = nodeProcess();
  if (!node) return undefined;
  // Node before 20.16 has only the import. It is named at run time and marked, so that bundlers leave it alone.
  const address = `node:${name}`;
  return node.getBuiltinModule?.(address) ?? import(/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */ address);
}

/** The two that turn text into bytes and back. A make-believe browser may lack them; its Node has them. */
export function textCoders(): { TextDecoder: typeof TextDecoder; TextEncoder: typeof TextEncoder } {
  const own = globalThis as Partial<typeof globalThis>;
  const { TextDecoder: Decoder, TextEncoder: Encoder } = own;
  if (Decoder && Encoder) return { TextDecoder: Decoder, TextEncoder: Encoder };
  return nodeProcess()?.getBuiltinModule?.("node:util") as ReturnType<typeof textCoders>;
}

/** Whether workers can be started here, as in a page and in most workers. Node has another kind. */
export function hasWorkers(): boolean {
  return present(() => typeof Worker === "function") === true;
}

/** Whether this is a page, which must not stand still while something is computed. */
export function isPage(): boolean {
  return hasWorkers() && present(() => typeof document === "object") === true;
}

/**
 * Where the package's files are. Vite's development server, up to version 5, puts scripts of packages together in a
 * folder of its own and leaves their other files where they were.
 */
export function placed(address: string): string {
  return address.replace(/\/node_modules\/\.vite\/deps\/([^/?]+).*$/, "/node_modules/archer-web/dist/$1");
}

/** Address of a classic script, which knows its own only while it is first run. */
const classicScript = present(() => (document.currentScript as HTMLScriptElement | null)?.src);

/**
 * Address of one of the package's files. `here` says it in the words by which bundlers find and copy the file; in a
 * classic script, which some make, these words mean nothing, and the file is looked for beside the script.
 */
export function located(name: string, here: () => URL): URL {
  const found = present(here) ?? new URL(name, classicScript || present(() => document.baseURI) || "file:///");
  own.add(found);
  return found;
}

/** Addresses that were located. */
const own = new WeakSet<URL>();

/** Whether this is the address of one of the package's own files. */
export function isLocated(address: string | URL): boolean {
  return typeof address !== "string" && own.has(address);
}

/** Resolves after so many milliseconds; `clear` ends the wait without resolving. */
export function timeout(limit: number): { promise: Promise<void>; clear(): void } {
  let timer: ReturnType<typeof setTimeout>;
  const promise = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limit);
  });
  return { promise, clear: () => clearTimeout(timer) };
}
