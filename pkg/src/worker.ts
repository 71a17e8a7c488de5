/** The worker: an engine that is spoken to by messages. Import this file as a module worker. */
import { type Engine, startHere } from "./engine.js";
import { faultOf } from "./errors.js";
import type { FromWorker, ToWorker } from "./protocol.js";

let engine: Engine | null = null;

const post = (message: FromWorker, transfer: Transferable[] = []) => {
  (self as unknown as { postMessage(message: FromWorker, transfer: Transferable[]): void }).postMessage(message, transfer);
};

self.addEventListener("message", (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  answer(message).then(
    (value) => {
      const bytes = value instanceof Uint8Array && value.buffer instanceof ArrayBuffer ? [value.buffer] : [];
      post({ id: message.id, kind: "done", value }, bytes);
    },
    (thrown: unknown) => post({ id: message.id, kind: "failed", fault: faultOf(thrown) }),
  );
});

async function answer(message: ToWorker): Promise<unknown> {
  const { id } = message;
  if (message.kind === "start") {
    engine = await startHere({
      backend: message.backend,
      model: message.model,
      wasm: message.wasm,
      onProgress: (progress) => post({ id, kind: "progress", progress }),
    });
    return null;
  }
  if (!engine) throw new Error("the worker was asked before it was started");
  switch (message.kind) {
    case "call":
      return engine.call(message.request, message.hears ? (text) => post({ id, kind: "text", text }) : undefined);
    case "export":
      return engine.export(message.training);
    case "import":
      return engine.import(message.file);
    case "lost":
      return engine.lost();
  }
}
