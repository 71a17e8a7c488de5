// Files from elsewhere. The page's own policy lets it reach nothing but its own files, and so does that of its workers.
// One document of the page may fetch from other addresses: a frame that exists only while the visitor waits for a file
// whose address they gave, and that knows nothing else.
import { ArcherError, type ModelDescription } from "archer-web";

/** What the frame is asked, and what it answers. */
export type Asked = { kind: "describe" | "fetch"; address: string };
export type Answer =
  | { kind: "progress"; loaded: number; total: number | null }
  | { kind: "done"; value: ModelDescription | Blob }
  | { kind: "failed"; code: ArcherError["code"]; message: string; hint: string };

/** Milliseconds in which the frame, a small file of this page, has to be there. */
const READY_WITHIN = 20_000;

interface Options {
  signal: AbortSignal;
  onProgress?: (loaded: number, total: number | null) => void;
}

/** What the file at an address is. */
export const describeThere = (address: string, options: Options): Promise<ModelDescription> =>
  through({ kind: "describe", address }, options) as Promise<ModelDescription>;

/** The file at an address, kept in this browser. */
export const fetchThere = (address: string, options: Options): Promise<Blob> => through({ kind: "fetch", address }, options) as Promise<Blob>;

async function through(asked: Asked, { signal, onProgress }: Options): Promise<ModelDescription | Blob> {
  signal.throwIfAborted();
  const frame = document.createElement("iframe");
  const { port1, port2 } = new MessageChannel();
  let stop = () => {};
  try {
    return await new Promise<ModelDescription | Blob>((resolve, reject) => {
      // The frame ends with its fetch: what has arrived is kept as soon as it knows.
      stop = () => {
        port1.postMessage("stop");
        reject(signal.reason);
      };
      const late = setTimeout(() => reject(new ArcherError("network", "The page’s own frame for fetching did not load.")), READY_WITHIN);
      signal.addEventListener("abort", stop, { once: true });
      port1.onmessage = ({ data }: MessageEvent<Answer>) => {
        clearTimeout(late);
        if (data.kind === "progress") onProgress?.(data.loaded, data.total);
        else if (data.kind === "done") resolve(data.value);
        else reject(new ArcherError(data.code, data.message, data.hint));
      };
      frame.hidden = true;
      frame.title = "Fetches the file";
      frame.src = new URL("./fetch.html", document.baseURI).href;
      frame.addEventListener("load", () => frame.contentWindow?.postMessage(asked, location.origin, [port2]), { once: true });
      document.body.append(frame);
    });
  } finally {
    signal.removeEventListener("abort", stop);
    if (signal.aborted) setTimeout(() => frame.remove(), LET_KEEP);
    else frame.remove();
  }
}

/** Milliseconds that a fetch which was given up has to keep what has arrived. */
const LET_KEEP = 2000;
