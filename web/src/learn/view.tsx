// Learn: fine-tune the agent here, watch it, and decide what becomes of it.
import { agent, info, playable } from "../agent";
import { TroubleNotice } from "../ui/bits";
import { Controls } from "./controls";
import { Curves } from "./curves";
import { Files } from "./files";
import { doing, keep, log, rollBack, teachable, trouble, undecided } from "./run";
import { ModelPicker } from "../model-picker";
import { SampleGames } from "./sample-view";
import { Verdict } from "./verdict";
import "./learn.css";

export function Learn() {
  return (
    <>
      <div class="title">
        <h2 tabIndex={-1}>Let it learn</h2>
        <ModelPicker name="which-learn" />
      </div>
      <p class="lead">
        In each iteration the agent plays some games, and{" "}
        <strong>{playable() ? "every question costs it a point" : "its world says what each turn was worth"}</strong>. The{" "}
        <strong class="critic">critic</strong> learns from all of them what each {playable() ? "question" : "turn"} was worth. Then the{" "}
        <strong class="actor">actor</strong> becomes a little more likely to {playable() ? "ask" : "say"} what the critic rates highest. You can keep playing
        meanwhile.
      </p>
      <TroubleNotice trouble={trouble.value} />
      {!teachable() && <Unknown />}
      {teachable() && (
        <div class="learn">
          <Controls />
          <div class="shown">
            <Curves />
            <Decision />
          </div>
        </div>
      )}
      {agent.value && <Files />}
    </>
  );
}

/** Said of a model whose world does not come with the page. */
function Unknown() {
  return (
    <div class="notice">
      <p>
        This page does not have the world of this model, {info.value?.world.replaceAll("_", " ")}. Write a world in{" "}
        <a href="#make">Make your own</a> and train the model there, or train it in its own world in the terminal.
      </p>
    </div>
  );
}

/** Before and after, and what shall become of it. */
function Decision() {
  const shown = log.value;
  if (!shown?.before && !shown?.after) return null;
  const free = doing.value === null;
  return (
    <section class="panel" aria-labelledby="fixed-games">
      <h3 id="fixed-games">The same games, before and after</h3>
      <Verdict log={shown} />
      {shown.outcome === "learned" && undecided() && (
        <div class="buttons decide">
          <button type="button" class="button main" disabled={!free} onClick={() => void keep()}>
            Keep what it learned
          </button>
          <button type="button" class="button" disabled={!free} onClick={() => void rollBack()}>
            Discard
          </button>
        </div>
      )}
      {shown.outcome === "kept" && <p class="good decide">Kept. This agent plays now.</p>}
      {shown.outcome === "rolled back" && <p class="quiet decide">Discarded. The agent plays as before.</p>}
      <SampleGames sample={shown.sample} />
    </section>
  );
}
