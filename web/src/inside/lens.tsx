// One turn under the lens: how the critic expects the game to end, with the question asked and with others.
import type { Inspection, Judged } from "archer-web/twenty-questions";
import { useRef } from "preact/hooks";
import { guessing } from "../agent";
import { fixed, percent, signed } from "../format";
import { kept } from "../kept";
import { busy, force, inspection, judge } from "./study";

/** How an advantage is coloured: near 0 it says nothing. */
export const tone = (advantage: number): string => (advantage > 0.05 ? "good" : advantage < -0.05 ? "bad" : "");

/** Whether both critics' numbers are shown rather than the one that counts. */
const details = kept("details", false, (value): value is boolean => typeof value === "boolean");

/** A final score that there can be: a critic may expect less than the lowest. */
export const possibleScore = (value: number): number => Math.max(value, guessing.value?.worstReturn ?? Number.NEGATIVE_INFINITY);

export function Lens() {
  const seen = inspection.value;
  if (!seen) return <section class="panel lens quiet">{busy.value ? "The critic is reading…" : ""}</section>;
  const rows = [...(seen.asked ? [seen.asked] : []), ...seen.alternatives];
  const both = details.value;
  const scale = scaleOf(seen, rows, both);
  return (
    <section class="panel lens" aria-labelledby="lens-title">
      <h3 id="lens-title">Before question {seen.turn}</h3>
      <dl class="state">
        <div>
          <dt>Expected final score</dt>
          <dd class="num">{fixed(possibleScore(seen.expectedReturn))}</dd>
        </div>
        {both && (
          <>
            <div>
              <dt>V1</dt>
              <dd class="num">{fixed(seen.v1)}</dd>
            </div>
            <div>
              <dt>V2</dt>
              <dd class="num">{fixed(seen.v2)}</dd>
            </div>
          </>
        )}
      </dl>
      <Beyond seen={seen} />
      <table class={`judged ${both ? "both" : ""}`}>
        <caption class="visually-hidden">The question asked at turn {seen.turn}, and others, as the critic scores them</caption>
        <thead>
          <tr>
            <th scope="col">Question</th>
            <th scope="col" class="plot" aria-hidden="true">
              <Axis scale={scale} />
            </th>
            {both && (
              <>
                <th scope="col">Q1</th>
                <th scope="col">Q2</th>
              </>
            )}
            <th scope="col">Expected score</th>
            <th scope="col">{both ? "Advantage" : "Better or worse"}</th>
            <th scope="col">Chance of asking</th>
            <th scope="col">
              <span class="visually-hidden">Try it</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, n) => (
            <Row key={row.question} row={row} seen={seen} scale={scale} asked={seen.asked !== null && n === 0} />
          ))}
        </tbody>
      </table>
      <OwnQuestion />
      <label class="small check">
        <input type="checkbox" checked={both} onChange={(event) => (details.value = event.currentTarget.checked)} />
        <span>Details: both critics’ numbers</span>
      </label>
      {both ? <Meaning /> : <ShortMeaning />}
    </section>
  );
}

/** Said of a critic that expects what cannot be. */
function Beyond({ seen }: { seen: Inspection }) {
  const worst = guessing.value?.worstReturn;
  if (worst == null || seen.expectedReturn >= worst) return null;
  return (
    <p class="small quiet">
      The critic says {fixed(seen.expectedReturn)}, but no game scores less than {fixed(worst, 0)}: it is simply sure that this one is
      lost.
    </p>
  );
}

function ShortMeaning() {
  return (
    <p class="small quiet">
      The expected final score is how the critic thinks the game will end. <b>Better or worse</b> compares a question with what the
      actor usually asks here. This is what it learns from.
    </p>
  );
}

function Meaning() {
  return (
    <dl class="meaning small">
      <dt>
        <span class="sign v" aria-hidden="true" />V
      </dt>
      <dd>the score still to come, as the critic expects it before a question.</dd>
      <dt>
        <span class="sign dot" aria-hidden="true" />
        <span class="sign dot two" aria-hidden="true" />Q
      </dt>
      <dd>
        the same if this question is asked. Two critics estimate each, and the lower value is used, so one over-optimistic estimate
        does no harm.
      </dd>
      <dt>
        <span class="sign bar good" aria-hidden="true" />
        advantage
      </dt>
      <dd>Q − V: how much better the question is than what the actor usually asks here. This is what it learns from.</dd>
      <dt>chance</dt>
      <dd>the chance that the actor asks exactly this here.</dd>
    </dl>
  );
}

type Scale = (value: number) => number;

/**
 * Where a value stands on the strip, in percent. The ends are labelled as the numbers beside the strip: Q and V are
 * the score still to come; without them there are only final scores, which include the points already paid.
 */
function scaleOf(seen: Inspection, rows: Judged[], both: boolean): Scale & { low: number; high: number } {
  const pairs = [[seen.v1, seen.v2], ...rows.map((row) => [row.q1, row.q2])];
  const values = both ? pairs.flat() : pairs.map((pair) => Math.min(...pair));
  const low = Math.min(...values);
  const width = Math.max(Math.max(...values) - low, 0.2);
  const paid = seen.expectedReturn - Math.min(seen.v1, seen.v2);
  const told = (value: number) => (both ? value : possibleScore(value + paid));
  const scale = (value: number) => 4 + (92 * (value - low)) / width;
  return Object.assign(scale, { low: told(low), high: told(low + width) });
}

function Axis({ scale }: { scale: Scale & { low: number; high: number } }) {
  return (
    <span class="axis num">
      <span>{fixed(scale.low, 1)}</span>
      <span>{fixed(scale.high, 1)}</span>
    </span>
  );
}

function Row({ row, seen, scale, asked }: { row: Judged; seen: Inspection; scale: Scale; asked: boolean }) {
  const v = scale(Math.min(seen.v1, seen.v2));
  const q = scale(Math.min(row.q1, row.q2));
  const kind = tone(row.advantage);
  const both = details.value;
  return (
    <tr class={asked ? "asked" : ""}>
      <th scope="row">
        {row.question || "(nothing)"}
        {asked && <> <span class="tag">asked</span></>}
      </th>
      <td class="plot" aria-hidden="true">
        <span class="strip">
          <span class={`bar ${kind}`} style={{ left: `${Math.min(v, q)}%`, width: `${Math.abs(q - v)}%` }} />
          <span class="v" style={{ left: `${v}%` }} />
          <span class="dot" style={{ left: `${both ? scale(row.q1) : q}%` }} />
          {both && <span class="dot two" style={{ left: `${scale(row.q2)}%` }} />}
        </span>
      </td>
      {both && (
        <>
          <td data-label="Q1">{fixed(row.q1)}</td>
          <td data-label="Q2">{fixed(row.q2)}</td>
        </>
      )}
      <td data-label="Final score">{fixed(possibleScore(row.expectedReturn))}</td>
      <td data-label={both ? "Advantage" : "Better or worse"} class={`advantage ${kind}`}>
        {signed(row.advantage)}
      </td>
      <td data-label="Chance">{row.probability < 0.005 ? "<1%" : percent(row.probability)}</td>
      <td class="try">
        {!asked && (
          <button
            type="button"
            class="button tiny"
            aria-label={`Ask this instead: ${row.question}`}
            onClick={() => void force(row.question)}
          >
            Ask this
          </button>
        )}
      </td>
    </tr>
  );
}

function OwnQuestion() {
  const input = useRef<HTMLInputElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    const question = input.current?.value.trim();
    if (!question || !input.current) return;
    input.current.value = "";
    void judge(question);
  };
  return (
    <>
    <form class="line" onSubmit={submit}>
      <div class="field">
        <label for="own-question">What would the critic say about your question?</label>
        <input id="own-question" ref={input} autocomplete="off" maxLength={120} placeholder="Is it made of metal?" />
      </div>
      <button type="submit" class="button">
        Score it
      </button>
    </form>
    <div class="suggested" role="group" aria-label="Questions to score">
      {SUGGESTED.map((question) => (
        <button key={question} type="button" class="button tiny" onClick={() => void judge(question)}>
          {question}
        </button>
      ))}
    </div>
    </>
  );
}

/** Good, bad and senseless ones. */
const SUGGESTED = ["Is it alive?", "Is it a banana?", "Does it taste good with ketchup?"];
