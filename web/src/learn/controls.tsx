// What to learn and for how long; start, pause, stop; and how far it is.
import { agent, info } from "../agent";
import { count, duration } from "../format";
import { Elapsed, Progress } from "../ui/bits";
import { lesson, subject } from "./lesson";
import { LessonFields } from "./lesson-view";
import {
  begunAt, type Doing, doing, elsewhere, goOn, log, pause, rollBack, type Settings, settings, start, stop, undecided, unpause,
} from "./run";

export function Controls() {
  const now = doing.value;
  return (
    <section class="panel controls" aria-labelledby="run-title">
      <h3 id="run-title">Train it here</h3>
      <Elsewhere />
      {now === null && log.value?.outcome === "learning" ? <Interrupted /> : <Fields disabled={now !== null} />}
      <Buttons now={now} />
      <State now={now} />
    </section>
  );
}

function Fields({ disabled }: { disabled: boolean }) {
  const set = (part: Partial<Settings>) => (settings.value = { ...settings.peek(), ...part });
  const { iterations, seed, games, resume } = settings.value;
  const resumable = (info.value?.resumable ?? false) && lesson.value.kind === "practice";
  const asInFile = resume && resumable;
  return (
    <div class="fields">
      <LessonFields disabled={disabled || undecided()} />
      <NumberField
        label="Iterations"
        id="iterations"
        value={iterations}
        range={[1, 500]}
        disabled={disabled}
        onChange={(value) => set({ iterations: value })}
      />
      <details>
        <summary>Advanced</summary>
        <div class="fields">
          <NumberField
            label="Seed"
            id="seed"
            value={seed}
            range={[0, 999_999]}
            disabled={disabled || asInFile}
            onChange={(value) => set({ seed: value })}
          />
          <div class="field">
            <label for="games">Games per iteration</label>
            <select
              id="games"
              disabled={disabled || asInFile}
              value={games}
              onChange={(event) => set({ games: Number(event.currentTarget.value) })}
            >
              {[8, 16, 32, 64, 128, 256].map((number) => (
                <option key={number} value={number}>
                  {number}
                </option>
              ))}
            </select>
          </div>
          {resumable && (
            <label class="check">
              <input
                type="checkbox"
                checked={resume}
                disabled={disabled}
                onChange={(event) => set({ resume: event.currentTarget.checked })}
              />
              <span>Continue the run in the file (its seed and settings)</span>
            </label>
          )}
        </div>
      </details>
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

/** Told to a guest: what the tab that owns the storage is learning. */
function Elsewhere() {
  const theirs = elsewhere.value;
  if (theirs?.outcome !== "learning") return null;
  return (
    <p class="small elsewhere">
      Another tab is training: {theirs.points.length} of {count(theirs.settings.iterations, "iteration")} done. You can train a copy
      here too, but nothing is saved in this tab.
    </p>
  );
}

function Interrupted() {
  const done = log.value?.points.length ?? 0;
  const saved = Math.min(log.value?.saved ?? 0, done);
  const all = log.value?.settings.iterations ?? 0;
  if (done === 0) {
    return <p class="interrupted">Training for {count(all, "iteration")} was interrupted before the first was over.</p>;
  }
  return (
    <p class="interrupted">
      Training was interrupted after {done} of {count(all, "iteration")}. It was last saved after {saved}
      {saved < done ? <>, so {count(done - saved, "iteration")} will be repeated.</> : "."}
    </p>
  );
}

function Buttons({ now }: { now: Doing | null }) {
  if (now === null && log.value?.outcome === "learning") {
    return (
      <div class="buttons">
        <button type="button" class="button main" disabled={!agent.value} onClick={() => void goOn("finish")}>
          Resume
        </button>
        <button type="button" class="button" disabled={!agent.value} onClick={() => void rollBack()}>
          Discard
        </button>
      </div>
    );
  }
  if (now === null) {
    return (
      <div class="buttons">
        <button type="button" class="button main" disabled={!agent.value || undecided()} onClick={() => void start()}>
          Start training
        </button>
        {undecided() && (
          <button type="button" class="button" onClick={() => void goOn("more")}>
            Train more
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
        {held ? "Resume" : "Pause"}
      </button>
      <button type="button" class="button" aria-disabled={settled} onClick={stop}>
        Stop
      </button>
    </div>
  );
}

const SENTENCES: Record<Doing, string> = {
  preparing: "Making a copy to train, so you can keep playing…",
  "measuring before": "Playing the same games before training…",
  learning: "",
  pausing: "Pausing…",
  paused: "Paused.",
  stopping: "Stopping; the current iteration is discarded…",
  "measuring after": "Playing the same games again…",
  settling: "One moment…",
};

function State({ now }: { now: Doing | null }) {
  const points = log.value?.points ?? [];
  if (!now || !log.value) return undecided() && log.value?.outcome === "learned" ? <p class="small quiet">Keep or discard what it learned first.</p> : null;
  const all = Math.max(log.value.settings.iterations, points.length);
  const recent = points.slice(-5);
  const pace = recent.reduce((sum, point) => sum + point.seconds, 0) / Math.max(1, recent.length);
  const last = points.at(-1);
  const known = ["learning", "pausing", "paused", "stopping"].includes(now);
  return (
    <div class="state">
      <p class="small quiet">Learning {subject(log.value.settings.lesson)}.</p>
      <Progress share={known ? points.length / all : null} label="Iterations done" />
      <p class="small num">
        {known ? (
          <>
            Iteration <b data-testid="iteration">{points.length}</b> of {all}
            {now === "learning" && recent.length > 0 && <>, about {duration(pace * (all - points.length))} to go</>}
            {now === "learning" && <Elapsed since={begunAt.value} first={recent.length === 0} />}
          </>
        ) : (
          SENTENCES[now]
        )}
      </p>
      {known && SENTENCES[now] && <p class="small">{SENTENCES[now]}</p>}
      {last?.warmup && now === "learning" && <p class="small quiet">Warming up: only the critic is learning so far.</p>}
    </div>
  );
}
