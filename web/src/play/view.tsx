// Play: the person thinks and the agent asks, or the other way round; or a game that came with a link.
import { playable } from "../agent";
import { go, route, type Side } from "../route";
import { OtherWorld, Segmented } from "../ui/bits";
import { Asked } from "./asked-view";
import { Hosted } from "./hosted-view";
import { gameOf } from "./sides";
import { SharedView } from "./shared-view";
import "./play.css";

export function Play() {
  const { side, shared } = route.value;
  return (
    <>
      <div class="title">
        <div>
          <h2 tabIndex={-1}>Twenty Questions</h2>
          <p class="tagline">
            A language model small enough to run in this tab. It learned by itself which questions are worth asking.
          </p>
        </div>
        {shared === null && (
          <Segmented<Side>
            label="Who asks?"
            name="side"
            value={side}
            options={[
              ["agent", "It asks"],
              ["person", "You ask"],
            ]}
            onChange={(to) => go({ view: "play", side: to, game: gameOf(to) })}
          />
        )}
      </div>
      {shared !== null ? <SharedView packed={shared} /> : !playable() ? <OtherWorld /> : side === "agent" ? <Asked /> : <Hosted />}
    </>
  );
}
