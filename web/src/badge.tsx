// What computes, how fast, and why: a badge in the header that opens.
import type { BackendChoice, BackendSpeed } from "archer-web";
import { agent, backend, choice, generation, heavy, info, moveTo, moving, progress, reset, writingSpeed } from "./agent";
import { bytes, madeOf, sentence } from "./format";
import { training } from "./learn/run";
import { Segmented } from "./ui/bits";
import "./badge.css";

const NAMES = { cpu: "CPU", webgpu: "WebGPU" } as const;

function speedOf(kind: "cpu" | "webgpu"): BackendSpeed | null {
  return backend.value?.measured[kind] ?? null;
}

export function Badge() {
  const report = backend.value;
  // Once there, it stays while another is loaded: who opened it still reads in it.
  if (!report) {
    return <span class="badge waiting">{progress.value ? "loading" : "starting"}</span>;
  }
  const loading = !agent.value;
  const speed = writingSpeed.value ?? speedOf(report.backend)?.tokensPerSecond;
  return (
    <>
      <button type="button" class="badge" popovertarget="backend" aria-busy={loading || moving.value}>
        <span class="dot" aria-hidden="true" />
        <span class="visually-hidden">Running on</span>
        {loading ? "loading" : NAMES[report.backend]}
        {!loading && speed && <span class="speed num">{Math.round(speed)} tok/s</span>}
      </button>
      <div id="backend" class="sheet" popover="auto">
        <h2>Running on</h2>
        <p class="reason">
          {sentence(report.reason)}
          {writingSpeed.value !== null && <> {Math.round(writingSpeed.value)} tokens per second.</>}
        </p>
        <Measured />
        <ComputeOn name="backend" />
        <Model />
        <button type="button" class="button" popovertarget="backend" popovertargetaction="hide">
          Close
        </button>
      </div>
    </>
  );
}

/** The choice of what computes; `name` tells it from another of its kind on the page. */
export function ComputeOn({ name }: { name: string }) {
  return (
    <div class="field">
      <span class="label">Run on</span>
      <Segmented<BackendChoice>
        label="Run on"
        name={name}
        value={choice.value}
        disabled={moving.value}
        options={[
          ["auto", "Auto"],
          ["cpu", "CPU"],
          ["webgpu", "WebGPU"],
        ]}
        onChange={(value) => void moveTo(value)}
      />
    </div>
  );
}

function Measured() {
  const report = backend.value;
  if (!report || (!report.measured.cpu && !report.measured.webgpu)) return null;
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">measured here</th>
          <th scope="col">tokens per second</th>
          <th scope="col">training step</th>
        </tr>
      </thead>
      <tbody>
        {(["cpu", "webgpu"] as const).map((kind) => {
          const speed = speedOf(kind);
          if (!speed) return null;
          return (
            <tr key={kind} class={kind === report.backend ? "used" : ""}>
              <th scope="row">{NAMES[kind]}</th>
              <td>{Math.round(speed.tokensPerSecond)}</td>
              <td>{speed.stepMs.toFixed(0)} ms</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Model() {
  const model = info.value;
  if (!model) return null;
  return (
    <p class="small quiet" data-generation={generation.value}>
      This agent: {madeOf(model.parameters, heavy(model))}, in a file of {bytes(model.bytes)}.{" "}
      <button type="button" class="link" disabled={training.value || moving.value} onClick={() => void reset()}>
        Restore the built-in agent
      </button>
    </p>
  );
}
