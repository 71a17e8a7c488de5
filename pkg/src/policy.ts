/** What a page's policies forbid, told as one error. */
import { ArcherError } from "./errors.js";
import { present, timeout } from "./runtime.js";

/** Milliseconds within which a browser tells of what its policy forbade. */
const TOLD_WITHIN = 200;

/**
 * Watches for what the Content-Security-Policy forbids. A browser tells of it by an event of its own, which comes
 * after the failure and alone says what the matter was.
 */
export class PolicyWatch {
  private readonly seen: SecurityPolicyViolationEvent[] = [];
  private told: (() => void) | null = null;
  // Events of a page go to its document, those of a worker to the worker.
  private readonly at = present(() => (typeof document === "object" ? document : globalThis) as EventTarget);
  private readonly hear = (event: Event) => {
    this.seen.push(event as SecurityPolicyViolationEvent);
    this.told?.();
  };

  constructor() {
    this.at?.addEventListener?.("securitypolicyviolation", this.hear);
  }

  /** The error where something was forbidden since this watches, best of this address. */
  async forbade(address: string): Promise<ArcherError | undefined> {
    // Where there is no document and no worker there is no policy either.
    if (!this.at || typeof SecurityPolicyViolationEvent !== "function") return undefined;
    if (this.seen.length === 0) {
      const late = timeout(TOLD_WITHIN);
      await Promise.race([late.promise, new Promise<void>((resolve) => (this.told = resolve))]);
      late.clear();
    }
    const named = this.seen.find(({ blockedURI }) => blockedURI !== "" && address.startsWith(blockedURI));
    const { effectiveDirective, blockedURI } = named ?? this.seen[0] ?? {};
    return effectiveDirective ? forbidden(address, effectiveDirective, blockedURI ?? "") : undefined;
  }

  end(): void {
    this.at?.removeEventListener?.("securitypolicyviolation", this.hear);
  }
}

function forbidden(address: string, directive: string, blocked: string): ArcherError {
  // A worker of another origin is started by a script of the page's own.
  const what = /^(blob|data)/.exec(blocked);
  const message = `The page's Content-Security-Policy (${directive}) forbids ${what ? `${what[0]}:, by which archer starts ${address}` : address}.`;
  // A worker can be done without; a file cannot.
  const other = /worker|script|child/.test(directive) ? ', or load with thread: "here", which runs in the page' : "";
  return new ArcherError("blocked", message, `Allow ${what ? `${what[0]}:` : "it"} in ${directive}${other}.`);
}
