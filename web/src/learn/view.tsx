// Learn: fine-tune the agent here, watch it, and decide what becomes of it.
import { agent, info } from "../agent";
import { fixed } from "../format";
import { TroubleNotice } from "../ui/bits";
import { Controls } from "./controls";
import { Curves } from "./curves";
import { Files } from "./files";
import { doing, keep, log, rollBack, trouble, undecided } from "./run";
import { ModelPicker } from "../model-picker";
import { Verdict } from "./verdict";
import "./learn.css";

export function Learn() {
  const optimum = info.value?.optimumReturn;
  return (
    <>
      <div class="title">
        <h2 tabIndex={-1}>Let it learn</h2>
        <ModelPicker name="which-learn" />
      </div>
      <p class="lead">
        In each iteration the agent plays some games and <strong>every question costs it a point</strong>. From all games it
        remembers, the <strong class="critic">critic</strong> learns what each question was worth; then the{" "}
        <strong class="actor">actor</strong> says a little more often what the critic values, and a little less often the
        rest. That is ArCHer. {optimum != null && <>The best possible player gets {fixed(optimum, 1)} a game.</>}
      </p>
      <TroubleNotice trouble={trouble.value} />
      <div class="learn">
        <Controls />
        <div class="shown">
          <Decision />
          <Curves />
        </div>
      </div>
      {agent.value && <Files />}
    </>
  );
}

/** Before and after, and what shall become of it. */
function Decision() {
  const shown = log.value;
  if (!shown?.before && !shown?.after) return null;
  const free = doing.value === null;
  return (
    <section class="panel" aria-labelledby="fixed-games">
      <h3 id="fixed-games">The same {shown.before?.games ?? 100} games, before and after</h3>
      <Verdict log={shown} />
      {shown.outcome === "learned" && undecided() && (
        <div class="buttons decide">
          <button type="button" class="button main" disabled={!free} onClick={() => void keep()}>
            Keep what it learned
          </button>
          <button type="button" class="button" disabled={!free} onClick={() => void rollBack()}>
            Roll back
          </button>
        </div>
      )}
      {shown.outcome === "kept" && <p class="good decide">Kept: this is the agent that plays now.</p>}
      {shown.outcome === "rolled back" && <p class="quiet decide">Rolled back: the agent plays as before.</p>}
    </section>
  );
}
