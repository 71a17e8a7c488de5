// Inside: what the critic thinks of each question, and what would have happened otherwise.
import { useEffect, useRef } from "preact/hooks";
import { agent, generation, guessing, playable } from "../agent";
import { fixed, signed, withArticle } from "../format";
import { ANSWERS, possible, record } from "../play/asked";
import { OtherWorld, TroubleNotice } from "../ui/bits";
import { Chart } from "../ui/chart";
import { Lens, possibleScore, tone } from "./lens";
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
        <strong class="critic">critic</strong> has learned to predict how games end, and scores each question. Step through a game to
        see how it scored what was asked and what was not.
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
  const things = guessing.value?.things ?? [];
  return (
    <div class="field source">
      <label for="source">Game</label>
      <select
        id="source"
        value={own.value ? "" : (thing.value ?? "")}
        onChange={(event) => {
          const about = event.currentTarget.value;
          void (about === "" ? openOwn() : watch(about));
        }}
      >
        {played && <option value="">Your last game</option>}
        {things.map((about) => (
          <option key={about} value={about}>
            Self-play: {about}
          </option>
        ))}
      </select>
    </div>
  );
}

function Turns() {
  const current = line.value;
  const list = useRef<HTMLOListElement>(null);
  const chosen = selected.value;
  // Where the turns stand side by side, the chosen one is brought into sight, and nothing else moves.
  useEffect(() => {
    const [row, item] = [list.current, list.current?.children[chosen - 1] as HTMLElement | undefined];
    if (row && item && row.scrollWidth > row.clientWidth) row.scrollLeft = item.offsetLeft - (row.clientWidth - item.offsetWidth) / 2;
  }, [chosen, current?.turns.length]);
  if (!current) return <p class="quiet">{busy.value ? "Playing…" : ""}</p>;
  return (
    <>
      <h3>The questions</h3>
      <ol class="turns" ref={list}>
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
                <span class={`chip num ${asked ? tone(asked.advantage) : ""}`} title="Better or worse than usual">
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
      {thing.value ? <>It was {withArticle(thing.value)}. </> : null}Final score: <b class="num">{fixed(ended, 0)}</b>
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
        Back to the original game
      </button>
    </div>
  );
}

/** The final score that the critic expected, along the game. */
function Course() {
  const [now, old] = [line.value, before.value];
  if (!now) return null;
  const reach = (of: typeof now) => of.turns.length + (of.ended === null ? 0 : 1);
  const length = Math.max(reach(now), old ? reach(old) : 0);
  const x = Array.from({ length }, (_, n) => n + 1);
  const expected = (of: typeof now, number: number) => {
    const seen = of.inspections[number - 1];
    return seen ? possibleScore(seen.expectedReturn) : null;
  };
  const values = (of: typeof now) => x.map((number) => expected(of, number) ?? (number === of.turns.length + 1 ? of.ended : null));
  return (
    <Chart
      title="Expected final score before each question"
      x={x}
      xLabel="question"
      whole
      height={150}
      selected={selected.value}
      series={[
        ...(old ? [{ label: "original game", colour: "--quiet", dash: true, data: values(old) }] : []),
        { label: old ? "with the new question" : "expected final score", colour: "--critic", points: true, data: values(now) },
      ]}
      {...(guessing.value?.optimumReturn != null ? { mark: { label: "perfect player, on average", value: guessing.value.optimumReturn } } : {})}
    />
  );
}
