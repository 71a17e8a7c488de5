// Inside: what the critic thinks of each question, and what would have happened otherwise.
import { useEffect } from "preact/hooks";
import { agent, generation, info, playable } from "../agent";
import { fixed, signed, withArticle } from "../format";
import { ANSWERS, possible, record } from "../play/asked";
import { OtherWorld, TroubleNotice } from "../ui/bits";
import { Chart } from "../ui/chart";
import { Lens, tone } from "./lens";
import { before, busy, difference, line, open, openOwn, openSomething, own, reply, restore, select, selected, thing, trouble, watch } from "./study";
import "./inside.css";

export function Inside() {
  const ready = agent.value !== null;
  const fits = playable();
  useEffect(() => {
    if (ready && fits) openSomething();
  }, [ready, generation.value]);
  return (
    <>
      <div class="title">
        <h2 tabIndex={-1}>What the critic thinks</h2>
      </div>
      <p class="lead">
        Two networks share the work. The <strong class="actor">actor</strong> writes the question. The{" "}
        <strong class="critic">critic</strong> has learned from past games how they end, and judges. Step through a game,
        and see what it thought of each question and of those that were not asked.
      </p>
      <TroubleNotice trouble={trouble.value} />
      {fits ? <Workbench /> : <OtherWorld />}
    </>
  );
}

function Workbench() {
  return (
    <div class="inside">
      <div class="left">
        <Source />
        <Turns />
      </div>
      <div class="right">
        <Course />
        <Lens />
      </div>
    </div>
  );
}

function Source() {
  const played = (record.value?.turns.length ?? 0) > 0;
  const things = info.value?.things ?? [];
  return (
    <div class="field source">
      <label for="source">Look at</label>
      <select
        id="source"
        value={own.value ? "" : (thing.value ?? "")}
        onChange={(event) => {
          const about = event.currentTarget.value;
          void (about === "" ? openOwn() : watch(about));
        }}
      >
        {played && <option value="">your last game</option>}
        {things.map((about) => (
          <option key={about} value={about}>
            it plays by itself: {about}
          </option>
        ))}
      </select>
    </div>
  );
}

function Turns() {
  const current = line.value;
  if (!current) return <p class="quiet">{busy.value ? "It plays…" : ""}</p>;
  return (
    <>
      <h3>The questions</h3>
      <ol class="turns">
        {current.turns.map((turn, n) => {
          const asked = current.inspections[n]?.asked;
          return (
            <li key={turn.number}>
              <button
                type="button"
                class={before.value && before.value.turns[n]?.question !== turn.question ? "forced" : ""}
                aria-current={selected.value === turn.number ? "step" : undefined}
                onClick={() => select(turn.number)}
                onKeyDown={(event) => step(event, turn.number)}
              >
                <span class="n num">{turn.number}</span>
                <span class="q">
                  {turn.question || "(nothing)"} <span class="a">{turn.answer && ANSWERS[turn.answer]}</span>
                </span>
                <span class={`chip num ${asked ? tone(asked.advantage) : ""}`} title="Advantage">
                  {asked ? signed(asked.advantage) : "·"}
                </span>
              </button>
            </li>
          );
        })}
      </ol>
      <Ending />
      <Otherwise />
    </>
  );
}

/** Arrow keys walk along the turns. */
function step(event: KeyboardEvent, number: number): void {
  const by = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  const last = line.peek()?.turns.length ?? 0;
  if (!by || number + by < 1 || number + by > last) return;
  event.preventDefault();
  select(number + by);
  const list = (event.currentTarget as HTMLElement).closest("ol");
  list?.querySelectorAll<HTMLElement>("button")[number + by - 1]?.focus();
}

function Ending() {
  const ended = line.value?.ended;
  if (ended == null) return null;
  return (
    <p class="ending small">
      {thing.value ? <>It was {withArticle(thing.value)}. </> : null}The game’s return: <b class="num">{fixed(ended, 0)}</b>
    </p>
  );
}

function Otherwise() {
  const waiting = open.value;
  const changed = difference();
  if (!before.value) return null;
  return (
    <div class="otherwise">
      {changed && <p>{changed}</p>}
      {waiting && (
        <div role="group" aria-label={`Your answer to: ${waiting.question}`}>
          <p class="small">Your answer to “{waiting.question}”</p>
          <div class="buttons">
            {possible().map((said) => (
              <button type="button" key={said} class="button tiny" onClick={() => void reply(said)}>
                {ANSWERS[said]}
              </button>
            ))}
          </div>
        </div>
      )}
      <button type="button" class="button tiny" onClick={() => void restore()}>
        Back to the game as it was
      </button>
    </div>
  );
}

/** The return that the critic expected, along the game. */
function Course() {
  const [now, old] = [line.value, before.value];
  if (!now) return null;
  const reach = (of: typeof now) => of.turns.length + (of.ended === null ? 0 : 1);
  const length = Math.max(reach(now), old ? reach(old) : 0);
  const x = Array.from({ length }, (_, n) => n + 1);
  const values = (of: typeof now) =>
    x.map((number) => of.inspections[number - 1]?.expectedReturn ?? (number === of.turns.length + 1 ? of.ended : null));
  return (
    <Chart
      title="Return expected before each question"
      x={x}
      xLabel="question"
      whole
      height={150}
      selected={selected.value}
      series={[
        ...(old ? [{ label: "as it was", colour: "--quiet", dash: true, data: values(old) }] : []),
        { label: old ? "with the forced question" : "expected return", colour: "--critic", points: true, data: values(now) },
      ]}
      {...(info.value?.optimumReturn != null ? { mark: { label: "best possible mean", value: info.value.optimumReturn } } : {})}
    />
  );
}
