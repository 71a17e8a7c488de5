// Seed, iterations, games; start, pause, stop; and how far it is.
import { agent, info } from "../agent";
import { count, duration } from "../format";
import { Progress } from "../ui/bits";
import { type Doing, doing, goOn, log, pause, rollBack, type Settings, settings, start, stop, undecided, unpause } from "./run";

export function Controls() {
  const now = doing.value;
  return (
    <section class="panel controls" aria-labelledby="run-title">
      <h3 id="run-title">Fine-tune here</h3>
      {now === null && log.value?.outcome === "learning" ? <Interrupted /> : <Fields disabled={now !== null} />}
      <Buttons now={now} />
      <State now={now} />
    </section>
  );
}

function Fields({ disabled }: { disabled: boolean }) {
  const set = (part: Partial<Settings>) => (settings.value = { ...settings.peek(), ...part });
  const { iterations, seed, games, resume } = settings.value;
  const asInFile = resume && (info.value?.resumable ?? false);
  return (
    <div class="fields">
      <NumberField
        label="Iterations"
        id="iterations"
        value={iterations}
        range={[1, 500]}
        disabled={disabled}
        onChange={(value) => set({ iterations: value })}
      />
      <NumberField
        label="Seed"
        id="seed"
        value={seed}
        range={[0, 999_999]}
        disabled={disabled || asInFile}
        onChange={(value) => set({ seed: value })}
      />
      <div class="field">
        <label for="games">Games an iteration</label>
        <select
          id="games"
          disabled={disabled || asInFile}
          value={games}
          onChange={(event) => set({ games: Number(event.currentTarget.value) })}
        >
          {[16, 32, 64, 128, 256].map((number) => (
            <option key={number} value={number}>
              {number}
            </option>
          ))}
        </select>
      </div>
      {info.value?.resumable && (
        <label class="check">
          <input
            type="checkbox"
            checked={resume}
            disabled={disabled}
            onChange={(event) => set({ resume: event.currentTarget.checked })}
          />
          <span>Go on with the run in the file, by its own seed and sizes</span>
        </label>
      )}
    </div>
  );
}

function NumberField(props: {
  label: string;
  id: string;
  value: number;
  range: [number, number];
  disabled: boolean;
  onChange: (value: number) => void;
}) {
  const [low, high] = props.range;
  return (
    <div class="field">
      <label for={props.id}>{props.label}</label>
      <input
        id={props.id}
        type="number"
        inputMode="numeric"
        min={low}
        max={high}
        step={1}
        value={props.value}
        disabled={props.disabled}
        onInput={(event) => {
          const given = event.currentTarget.valueAsNumber;
          if (Number.isInteger(given) && given >= low && given <= high) props.onChange(given);
        }}
        onBlur={(event) => (event.currentTarget.value = String(props.value))}
      />
    </div>
  );
}

function Interrupted() {
  const done = log.value?.points.length ?? 0;
  const all = log.value?.settings.iterations ?? 0;
  return (
    <p class="interrupted">
      {done > 0
        ? `A fine-tune was interrupted after ${done} of ${count(all, "iteration")}. What it learned was saved on the way.`
        : `A fine-tune of ${count(all, "iteration")} was interrupted before the first was over.`}
    </p>
  );
}

function Buttons({ now }: { now: Doing | null }) {
  const done = log.value?.points.length ?? 0;
  if (now === null && log.value?.outcome === "learning") {
    const left = Math.max(1, log.value.settings.iterations - done);
    return (
      <div class="buttons">
        <button type="button" class="button main" disabled={!agent.value} onClick={() => void goOn(left)}>
          Go on
        </button>
        <button type="button" class="button" disabled={!agent.value} onClick={() => void rollBack()}>
          Discard it
        </button>
      </div>
    );
  }
  if (now === null) {
    return (
      <div class="buttons">
        <button type="button" class="button main" disabled={!agent.value || undecided()} onClick={() => void start()}>
          Start learning
        </button>
        {undecided() && (
          <button type="button" class="button" onClick={() => void goOn(settings.peek().iterations)}>
            Learn more
          </button>
        )}
      </div>
    );
  }
  const held = now === "pausing" || now === "paused";
  const settled = now !== "learning" && !held;
  return (
    <div class="buttons">
      <button
        type="button"
        class="button main"
        aria-disabled={settled}
        onClick={() => (held ? unpause() : void pause())}
      >
        {held ? "Go on" : "Pause"}
      </button>
      <button type="button" class="button" aria-disabled={settled} onClick={stop}>
        Stop
      </button>
    </div>
  );
}

const SENTENCES: Record<Doing, string> = {
  preparing: "Making a copy that learns, so that you can go on playing…",
  "measuring before": "Playing the fixed games before learning…",
  learning: "",
  pausing: "Pausing…",
  paused: "Paused.",
  stopping: "Stopping: the iteration under way is given up…",
  "measuring after": "Playing the fixed games again…",
  settling: "One moment…",
};

function State({ now }: { now: Doing | null }) {
  const points = log.value?.points ?? [];
  if (!now || !log.value) return undecided() ? <p class="small quiet">First decide what becomes of what it learned.</p> : null;
  const all = Math.max(log.value.settings.iterations, points.length);
  const recent = points.slice(-5);
  const pace = recent.reduce((sum, point) => sum + point.seconds, 0) / Math.max(1, recent.length);
  const last = points.at(-1);
  const known = ["learning", "pausing", "paused", "stopping"].includes(now);
  return (
    <div class="state">
      <Progress share={known ? points.length / all : null} label="Iterations done" />
      <p class="small num">
        {known ? (
          <>
            Iteration <b data-testid="iteration">{points.length}</b> of {all}
            {now === "learning" && recent.length > 0 && <>, about {duration(pace * (all - points.length))} to go</>}
            {now === "learning" && points.length === 0 && <>: the first takes longest</>}
          </>
        ) : (
          SENTENCES[now]
        )}
      </p>
      {known && SENTENCES[now] && <p class="small">{SENTENCES[now]}</p>}
      {last?.warmup && now === "learning" && <p class="small quiet">Warming up: only the critic learns yet.</p>}
    </div>
  );
}
