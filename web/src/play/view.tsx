// Play: the person thinks and the agent asks, or the other way round; or a game that came with a link.
import { info, playable } from "../agent";
import { go, route, type Side } from "../route";
import { Segmented } from "../ui/bits";
import { Asked } from "./asked-view";
import { Hosted } from "./hosted-view";
import { gameOf } from "./sides";
import { SharedView } from "./shared-view";
import { TalkView } from "./talk-view";
import "./play.css";

export function Play() {
  const { side, shared } = route.value;
  const here = playable();
  return (
    <>
      <div class="title">
        <div>
          <h2 tabIndex={-1}>{here || shared !== null ? "Twenty Questions" : named(info.value?.world ?? "")}</h2>
          {(here || shared !== null) && (
            <p class="tagline">
              A language model small enough to run in this tab. It learned from games which questions are worth asking.
            </p>
          )}
        </div>
        {shared === null && here && (
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
      {shared !== null ? <SharedView packed={shared} /> : !here ? <TalkView /> : side === "agent" ? <Asked /> : <Hosted />}
    </>
  );
}

/** The name of a world as a heading. */
function named(world: string): string {
  const words = world.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
