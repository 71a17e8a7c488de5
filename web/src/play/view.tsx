// Play: the person thinks and the agent asks, or the other way round.
import { info, playable } from "../agent";
import { kept, oneOf } from "../kept";
import { OtherWorld, Segmented } from "../ui/bits";
import { Asked } from "./asked-view";
import { Hosted } from "./hosted-view";
import "./play.css";

type Side = "agent" | "person";

const side = kept<Side>("side", "agent", oneOf("agent", "person"), "tab");

export function Play() {
  return (
    <>
      <div class="title">
        <h2 tabIndex={-1}>Twenty Questions</h2>
        <Segmented
          label="Who asks?"
          name="side"
          value={side.value}
          options={[
            ["agent", "It asks"],
            ["person", "You ask"],
          ]}
          onChange={(value) => (side.value = value)}
        />
      </div>
      {!playable() ? <OtherWorld /> : side.value === "agent" ? <Asked /> : <Hosted />}
    </>
  );
}

/** The things that can be thought of. */
export function Things() {
  const things = info.value?.things ?? [];
  const few = things.length <= 40;
  const list = (
    <ul class="things" aria-label="The things to choose from">
      {things.map((thing) => (
        <li key={thing}>{thing}</li>
      ))}
    </ul>
  );
  if (few) return list;
  return (
    <details>
      <summary>All {things.length} things</summary>
      {list}
    </details>
  );
}
