/** How the package's own worker is started where a browser makes that difficult, and why it did not start. */
import { ArcherError, messageOf } from "./errors.js";
import { PolicyWatch } from "./policy.js";
import { located, placed, present } from "./runtime.js";

/** A worker, and what is known where it does not start. */
export interface OwnWorker {
  worker: Worker;
  /** Why it did not start, once it has not. */
  diagnose(): Promise<ArcherError>;
  /** To be called once it has started, or is given up: nothing is watched any more. */
  settled(): void;
}

const HERE = 'Or load with thread: "here", which runs in the page.';

const NO_WORKER = "load: worker returned no Worker.";
const WORKER = 'It takes a function such as () => new Worker(new URL("archer-web/worker", import.meta.url), { type: "module" }).';

/** Starts the worker that `make` makes; what the browser says against it is told as an `ArcherError`. */
export function startWorker(make: () => Worker, own?: string): OwnWorker {
  const policy = new PolicyWatch();
  let address = "the worker's script";
  const diagnose = async () => (await whyNot(address, policy)).error;
  try {
    const worker = own ? withOpenDoors(make, own, (asked) => (address = asked)) : make();
    if (typeof (worker as Partial<Worker> | undefined)?.postMessage !== "function") throw new ArcherError("usage", NO_WORKER, WORKER);
    return { worker, diagnose, settled: () => policy.end() };
  } catch (cause) {
    policy.end();
    throw cause instanceof ArcherError ? cause : refused(address, cause);
  }
}

/**
 * Calls `make` with a `Worker` that also takes scripts of another origin, and addresses under trusted types.
 *
 * Every bundler finds the worker by the very words `new Worker(new URL(…, import.meta.url))`, and only those, so the
 * address is not known before it reaches the constructor. The other constructor is there for this one call.
 */
function withOpenDoors(make: () => Worker, name: string, learn: (address: string) => void): Worker {
  let reached = false;
  const Plain = globalThis.Worker;
  class Open extends Plain {
    constructor(given: string | URL, options?: WorkerOptions) {
      reached = true;
      const address = placed(String(given));
      learn(address);
      super(opened(address), options);
    }
  }
  try {
    globalThis.Worker = Open;
  } catch {
    return make();
  }
  try {
    return make();
  } catch (cause) {
    // In a classic script those words name no address.
    if (reached) throw cause;
    return new Open(located(name, () => { throw cause; }), { type: "module", name: "archer" });
  } finally {
    globalThis.Worker = Plain;
  }
}

/** An address that a worker can be made of here: a script that imports the other, where that has another origin. */
function opened(address: string): string {
  const origin = present(() => globalThis.origin);
  const elsewhere = /^https?:/.test(address) && present(() => new URL(address).origin !== origin) === true;
  const script = elsewhere ? importing(address, origin === "null") : address;
  const types = present(() => (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes);
  // A name that a policy can allow: `trusted-types archer-web`.
  return types ? (trusted(types)?.createScriptURL(script) ?? script) : script;
}

/** Without an origin of its own, as in a sandboxed frame, a page cannot start a module from a blob. */
function importing(address: string, withoutOrigin: boolean): string {
  const script = `import ${JSON.stringify(address)};`;
  if (withoutOrigin) return `data:text/javascript,${encodeURIComponent(script)}`;
  return URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(address: string): string }): TrustedPolicy;
}
interface TrustedPolicy {
  createScriptURL(address: string): string;
}

let policyOfTypes: TrustedPolicy | undefined;

function trusted(types: TrustedTypes): TrustedPolicy | undefined {
  // Made once: a second one of the same name may be refused.
  policyOfTypes ??= present(() => types.createPolicy("archer-web", { createScriptURL: (address) => address }));
  return policyOfTypes;
}

function refused(address: string, cause: unknown): ArcherError {
  const why = messageOf(cause);
  if (/TrustedScriptURL|trusted/i.test(why)) {
    return new ArcherError("blocked", "The page's Content-Security-Policy (trusted types) forbids archer's worker.", `Add archer-web to its trusted-types. ${HERE}`, { cause });
  }
  return new ArcherError("blocked", `The browser refuses a worker from ${address} (${why}).`, `Serve archer-web from the page's own origin, or pass a worker. ${HERE}`, { cause });
}

/** Looks for what kept a worker from starting: the error that it raises says nothing. */
async function whyNot(address: string, policy: PolicyWatch): Promise<{ error: ArcherError }> {
  const forbidden = await policy.forbade(address);
  policy.end();
  if (forbidden) return { error: forbidden };
  const error = (message: string, hint: string) => ({ error: new ArcherError("network", message, hint) });
  const copy = `Let the bundler put archer-web's archer-worker.js there, or pass a worker; the package's README says how. ${HERE}`;
  if (!/^(https?|blob):/.test(address)) return error(`The worker could not be started from ${address}.`, copy);
  let response: Response;
  try {
    response = await fetch(address);
  } catch {
    return error(`The worker could not be started: ${address} could not be fetched.`, `Check the connection; from another origin, let that server allow it (Access-Control-Allow-Origin). ${HERE}`);
  }
  if (!response.ok) return error(`The worker could not be started: for ${address} the server says ${response.status}.`, copy);
  const type = response.headers.get("content-type") ?? "no type";
  const page = /^\s*</.test(await response.text().catch(() => ""));
  if (page) return error(`The worker could not be started: ${address} is an HTML page, so the script is missing there.`, copy);
  if (!/javascript|ecmascript/i.test(type)) {
    return error(`The worker could not be started: the server says that ${address} is ${type}.`, `Let it say text/javascript. ${HERE}`);
  }
  return {
    error: new ArcherError("blocked", `The browser did not start the worker ${address}, and did not say why.`, `A policy of the page or an extension may forbid workers. ${HERE}`),
  };
}
