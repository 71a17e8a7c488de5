// Chooses the agent that plays: the one that knows 157 things, the one that knows ten, or the visitor's own.
import { agent, brought, guessing, info, moving, type Supplied, supplied, switchTo } from "./agent";
import { log, training, undecided } from "./learn/run";
import { BringModel } from "./own-view";
import { Segmented } from "./ui/bits";

/** The choice between them; `name` tells it from another of its kind on the page. */
export function ModelPicker({ name }: { name: string }) {
  const things = info.value ? (guessing.value?.things.length ?? 0) : undefined;
  // A file of one's own may know other things: then neither is chosen.
  const other = !moving.value && things !== undefined && supplied.value !== "own" && String(things) !== supplied.value;
  const now = other ? null : supplied.value;
  const change = async (which: Supplied) => {
    log.value = null; // its curves are those of the other agent
    await switchTo(which);
  };
  return (
    <div class="picker">
      <div class="choices">
        <Segmented<Supplied>
          label="How many things there are"
          name={name}
          value={now}
          disabled={moving.value || training.value || undecided()}
          options={[["157", "157 things"], ["10", "Ten things"], ...(brought.value ? [["own", "Your model"] as const] : [])]}
          onChange={(which) => void change(which)}
        />
        <BringModel />
      </div>
      <p class="small quiet">{because()}</p>
    </div>
  );
}

/** Why one would choose the one or the other, or why one cannot. */
function because(): string {
  if (training.value) return "You can switch when the training has ended.";
  if (undecided()) return "To switch, first keep or discard what it learned.";
  if (supplied.value === "own" && brought.value) return agent.value || moving.value ? `${brought.value.name} plays.` : `${brought.value.name} could not be loaded.`;
  return "Ten things make a short game, and training shows results in seconds.";
}
