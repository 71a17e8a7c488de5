// One turn under the lens: the value of the state, and of the question asked beside its alternatives.
import type { Inspection, Judged } from "archer-web";
import { useRef } from "preact/hooks";
import { fixed, percent, signed } from "../format";
import { busy, force, inspection, judge } from "./study";

/** How an advantage is coloured: near 0 it says nothing. */
export const tone = (advantage: number): string => (advantage > 0.05 ? "good" : advantage < -0.05 ? "bad" : "");

export function Lens() {
  const seen = inspection.value;
  if (!seen) return <section class="panel lens quiet">{busy.value ? "The critic reads…" : ""}</section>;
  const rows = [...(seen.asked ? [seen.asked] : []), ...seen.alternatives];
  const scale = scaleOf(seen, rows);
  return (
    <section class="panel lens" aria-labelledby="lens-title">
      <h3 id="lens-title">Before question {seen.turn}</h3>
      <dl class="state">
        <div>
          <dt>V1</dt>
          <dd class="num">{fixed(seen.v1)}</dd>
        </div>
        <div>
          <dt>V2</dt>
          <dd class="num">{fixed(seen.v2)}</dd>
        </div>
        <div>
          <dt>return expected in the end</dt>
          <dd class="num">{fixed(seen.expectedReturn)}</dd>
        </div>
      </dl>
      <table class="judged">
        <caption class="visually-hidden">The question asked at turn {seen.turn}, and others, as the critic sees them</caption>
        <thead>
          <tr>
            <th scope="col">Question</th>
            <th scope="col" class="plot" aria-hidden="true">
              <Axis scale={scale} />
            </th>
            <th scope="col">Q1</th>
            <th scope="col">Q2</th>
            <th scope="col">Advantage</th>
            <th scope="col">Says it</th>
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
      <dl class="meaning small">
        <dt>
          <span class="sign v" aria-hidden="true" />V
        </dt>
        <dd>the return still to come, as the critic expects it before a question.</dd>
        <dt>
          <span class="sign dot" aria-hidden="true" />
          <span class="sign dot two" aria-hidden="true" />Q
        </dt>
        <dd>the same, if this question is asked. Both are estimated twice, and the lower counts: one wishful estimate does no harm.</dd>
        <dt>
          <span class="sign bar good" aria-hidden="true" />
          advantage
        </dt>
        <dd>Q − V: how much better the question is than what the actor usually says here. This is what it learns from.</dd>
        <dt>says it</dt>
        <dd>the chance that the actor says exactly this here.</dd>
      </dl>
    </section>
  );
}

type Scale = (value: number) => number;

/** Where a value stands on the strip, in percent. */
function scaleOf(seen: Inspection, rows: Judged[]): Scale & { low: number; high: number } {
  const values = [seen.v1, seen.v2, ...rows.flatMap((row) => [row.q1, row.q2])];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const width = Math.max(high - low, 0.2);
  const scale = (value: number) => 4 + (92 * (value - low)) / width;
  return Object.assign(scale, { low, high: low + width });
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
          <span class="dot" style={{ left: `${scale(row.q1)}%` }} />
          <span class="dot two" style={{ left: `${scale(row.q2)}%` }} />
        </span>
      </td>
      <td data-label="Q1">{fixed(row.q1)}</td>
      <td data-label="Q2">{fixed(row.q2)}</td>
      <td data-label="Advantage" class={`advantage ${kind}`}>
        {signed(row.advantage)}
      </td>
      <td data-label="Says it">{row.probability < 0.005 ? "< 1 %" : percent(row.probability)}</td>
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
    <form class="line" onSubmit={submit}>
      <div class="field">
        <label for="own-question">What would the critic say of your own question?</label>
        <input id="own-question" ref={input} autocomplete="off" maxLength={120} placeholder="Is it made of metal?" />
      </div>
      <button type="submit" class="button">
        Judge it
      </button>
    </form>
  );
}
