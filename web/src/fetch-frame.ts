// Runs in fetch.html, the frame that fetches files from elsewhere (door.ts).
import { ArcherError, describe, fetchModel } from "archer-web";
import type { Answer, Asked } from "./door";

addEventListener("message", ({ source, origin, data, ports }: MessageEvent<Asked>) => {
  const [port] = ports;
  // Another site may show this frame, too.
  if (source !== parent || origin !== location.origin || !port) return;
  const given = new AbortController();
  port.onmessage = () => given.abort(new Error("given up"));
  const tell = (answer: Answer) => port.postMessage(answer);
  const { signal } = given;
  const { address } = data;
  const work =
    data.kind === "describe"
      ? describe(address, { signal })
      : fetchModel(address, { signal, onProgress: ({ loaded, total }) => tell({ kind: "progress", loaded, total }) });
  work.then(
    (value) => tell({ kind: "done", value }),
    (error: unknown) => {
      const { code, message, hint } = error instanceof ArcherError ? error : new ArcherError("internal", String(error));
      tell({ kind: "failed", code, message, hint });
    },
  );
  // That somebody is here.
  tell({ kind: "progress", loaded: 0, total: null });
});
