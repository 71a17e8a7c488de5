// Two evaluations side by side.
import type { Evaluation } from "archer-web";
import { fixed, percent, signed } from "../format";
import type { Log } from "./run";

interface Measure {
  name: string;
  of: (evaluation: Evaluation) => number;
  show: (value: number) => string;
  /** Which way is better. */
  better: 1 | -1;
}

const MEASURES: Measure[] = [
  { name: "Mean return", of: (e) => e.meanReturn, show: fixed, better: 1 },
  { name: "Games won", of: (e) => e.winRate, show: percent, better: 1 },
  { name: "Questions a game", of: (e) => e.meanQuestions, show: (value) => fixed(value, 1), better: -1 },
  { name: "Asked twice", of: (e) => e.repeatRate, show: percent, better: -1 },
  { name: "Not understood", of: (e) => e.invalidRate, show: percent, better: -1 },
];

export function Verdict({ log: { before, after } }: { log: Log }) {
  return (
    <table class="verdict">
      <thead>
        <tr>
          <th scope="col">
            <span class="visually-hidden">Measure</span>
          </th>
          <th scope="col">before</th>
          <th scope="col">after</th>
          <th scope="col">change</th>
        </tr>
      </thead>
      <tbody>
        {MEASURES.map((measure) => (
          <Row key={measure.name} measure={measure} before={before} after={after} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ measure, before, after }: { measure: Measure; before: Evaluation | null; after: Evaluation | null }) {
  const { name, of, show, better } = measure;
  const change = before && after ? of(after) - of(before) : null;
  const rate = show === percent;
  const told = change === null ? "" : rate ? `${signed(100 * change, 0)} points` : signed(change, name === "Mean return" ? 2 : 1);
  const tone = change === null || show(change) === show(0) ? "" : change * better > 0 ? "good" : "bad";
  return (
    <tr>
      <th scope="row">{name}</th>
      <Cell evaluation={before} text={before && show(of(before))} interval={name === "Mean return"} />
      <Cell evaluation={after} text={after && show(of(after))} interval={name === "Mean return"} />
      <td class={tone}>{told}</td>
    </tr>
  );
}

function Cell({ evaluation, text, interval }: { evaluation: Evaluation | null; text: string | null; interval: boolean }) {
  return (
    <td>
      {text ?? "–"}
      {interval && evaluation && (
        <span class="interval">
          {fixed(evaluation.returnCi95[0], 1)} to {fixed(evaluation.returnCi95[1], 1)}
        </span>
      )}
    </td>
  );
}
