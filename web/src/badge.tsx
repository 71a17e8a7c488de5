// What computes, how fast, and why: a badge in the header that opens.
import type { BackendChoice, BackendSpeed } from "archer-web";
import { agent, backend, choice, generation, info, moveTo, moving, progress, reset, writingSpeed } from "./agent";
import { about, bytes } from "./format";
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
        <span class="visually-hidden">Computes on</span>
        {loading ? "loading" : NAMES[report.backend]}
        {!loading && speed && <span class="speed num">{Math.round(speed)} tok/s</span>}
      </button>
      <div id="backend" class="sheet" popover="auto">
        <h2>What computes</h2>
        <p class="reason">
          {report.reason}
          {writingSpeed.value !== null && <> It writes {Math.round(writingSpeed.value)} tokens a second here.</>}
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
      <span class="label">Compute on</span>
      <Segmented<BackendChoice>
        label="Compute on"
        name={name}
        value={choice.value}
        disabled={moving.value}
        options={[
          ["auto", "Fastest"],
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
          <th scope="col">tokens a second</th>
          <th scope="col">a learning step</th>
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
      The model: actor {about(model.parameters.actor)}, critic {about(model.parameters.critic)} parameters, a file of{" "}
      {bytes(model.bytes)}.{" "}
      <button type="button" class="link" disabled={training.value || moving.value} onClick={() => void reset()}>
        Go back to the one that came with the page
      </button>
    </p>
  );
}
