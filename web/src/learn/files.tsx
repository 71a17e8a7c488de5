// The agent as a file: taken away, brought back, and gone on with in the terminal.
import { describe } from "archer-web";
import { signal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { adopt, brought as own, heavy, info, supplied } from "../agent";
import { madeOf } from "../format";
import { singleFlight } from "../single-flight";
import { TroubleNotice } from "../ui/bits";
import { announce } from "../ui/announce";
import { exported, training, undecided } from "./run";

const gate = singleFlight();
const FILE_NAME = "agent.archer";
/** What an import brought. */
const brought = signal<string | null>(null);

/** Whether the memory of the run goes with the file. */
const whole = signal(false);

const exportFile = () =>
  gate.pass(async () => {
    const bytes = await exported(whole.peek());
    const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "application/octet-stream" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = FILE_NAME;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
    announce(`Exported as ${link.download}.`);
  });

const importFile = (file: File) =>
  gate.pass(async () => {
    brought.value = null;
    await adoptFile(file);
    const model = info.value;
    if (!model) return;
    brought.value = `Loaded ${file.name} (${madeOf(model.parameters, heavy(model))}). It plays now.`;
    announce(brought.value);
  });

/** An agent takes the place of the one that plays; a language model is the visitor's own, and so is whatever replaces one. */
async function adoptFile(file: File): Promise<void> {
  const { kind, opening } = await describe(file);
  if (kind === "agent" && supplied.peek() !== "own") return adopt(file);
  const before = own.peek();
  own.value = { name: file.name, address: null, opening };
  try {
    await adopt(file, "own", true);
  } catch (error) {
    own.value = before;
    throw error;
  }
}

export function Files() {
  const input = useRef<HTMLInputElement>(null);
  const blocked = training.value || undecided();
  return (
    <section
      class="panel files"
      aria-labelledby="files-title"
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        const file = event.dataTransfer?.files[0];
        if (file && !blocked) void importFile(file);
      }}
    >
      <h3 id="files-title">Save or load the agent</h3>
      <TroubleNotice trouble={gate.trouble.value} />
      {brought.value && <p class="notice right">{brought.value}</p>}
      <div class="buttons">
        <button type="button" class="button" disabled={training.value} onClick={() => void exportFile()}>
          Export
        </button>
        <button type="button" class="button" disabled={blocked} onClick={() => input.current?.click()}>
          Import…
        </button>
        <input
          ref={input}
          class="visually-hidden"
          type="file"
          tabIndex={-1}
          aria-label="Model file to import"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            event.currentTarget.value = "";
            if (file) void importFile(file);
          }}
        />
      </div>
      {(info.value?.resumable || undecided()) && (
        <label class="check small">
          <input type="checkbox" checked={whole.value} onChange={(event) => (whole.value = event.currentTarget.checked)} />
          <span>Include the training state, so that the terminal can continue this run (the file is much larger)</span>
        </label>
      )}
      {blocked && !training.value && <p class="small quiet">To import, first keep or discard what it learned.</p>}
      <details>
        <summary>Continue in the terminal</summary>
        <p class="small quiet">
          The terminal program reads and writes the same file. With the training state included, it continues the run exactly, and you
          can import its result here:
        </p>
      <pre class="terminal" role="group" tabIndex={0} aria-label="Commands for the terminal">
        <code>
          {`archer train --resume ${FILE_NAME} --out run --set iterations=100\narcher export --training --model run --out back.archer`}
        </code>
      </pre>
      </details>
    </section>
  );
}
