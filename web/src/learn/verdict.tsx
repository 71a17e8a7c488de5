// Two evaluations side by side.
import type { Evaluation } from "archer-web";
import { playable } from "../agent";
import { count, fixed, percent, signed } from "../format";
import type { Log } from "./run";

interface Measure {
  name: string;
  of: (evaluation: Evaluation) => number;
  show: (value: number) => string;
  /** Which way is better. */
  better: 1 | -1;
}

const measures = (asks: boolean): Measure[] => [
  { name: "Average score", of: (e) => e.meanReturn, show: fixed, better: 1 },
  { name: "Games won", of: (e) => e.winRate, show: percent, better: 1 },
  { name: asks ? "Questions per game" : "Turns per game", of: (e) => e.meanTurns, show: (value) => fixed(value, 1), better: -1 },
  { name: asks ? "Asked twice" : "Said twice", of: (e) => e.repeatRate, show: percent, better: -1 },
  { name: "Not understood", of: (e) => e.invalidRate, show: percent, better: -1 },
];

export function Verdict({ log: { before, after, settings } }: { log: Log }) {
  const sampled = settings.lesson.kind === "beginning";
  const games = before?.games ?? after?.games ?? 0;
  return (
    <>
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
          {measures(playable()).map((measure) => (
            <Row key={measure.name} measure={measure} before={before} after={after} sampled={sampled} />
          ))}
        </tbody>
      </table>
      <p class="small quiet">
        {sampled
          ? `${count(games, "game")}, sampled as in training. In Play it always says its likeliest words, and does better.`
          : `${count(games, "game")}, played as in Play: it always says its likeliest words${playable() ? ", and each thing comes up as often as in this world. Nothing is left to chance, so a difference is real." : ". They are the same games, before and after."}`}
      </p>
    </>
  );
}

interface RowProps {
  measure: Measure;
  before: Evaluation | null;
  after: Evaluation | null;
  /** Whether chance has a part in it. */
  sampled: boolean;
}

function Row({ measure, before, after, sampled }: RowProps) {
  const { name, of, show, better } = measure;
  const change = before && after ? of(after) - of(before) : null;
  const told = change === null ? "" : toldChange(measure, change);
  const chance = sampled && (name !== "Average score" || overlap(before, after));
  const tone = change === null || chance || /^[+−]?0[.0]*(\D|$)/.test(told) ? "" : change * better > 0 ? "good" : "bad";
  const interval = sampled && name === "Average score";
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>
        {before ? show(of(before)) : "–"}
        {interval && <Interval of={before} />}
      </td>
      <td>
        {after ? show(of(after)) : "–"}
        {interval && <Interval of={after} />}
      </td>
      <td class={tone}>{told}</td>
    </tr>
  );
}

function Interval({ of }: { of: Evaluation | null }) {
  if (!of?.returnCi95) return null;
  const [low, high] = of.returnCi95;
  return (
    <span class="interval">
      {fixed(low, 1)} to {fixed(high, 1)}
    </span>
  );
}

/** Whether the intervals of both have something in common: then a difference may be chance. */
const overlap = (before: Evaluation | null, after: Evaluation | null): boolean => {
  const [one, other] = [before?.returnCi95, after?.returnCi95];
  return !one || !other || (one[0] <= other[1] && other[0] <= one[1]);
};

/** A change with its sign, of a share in percentage points. */
function toldChange({ name, show }: Measure, change: number): string {
  if (show !== percent) return signed(change, name === "Average score" ? 2 : 1);
  const points = signed(100 * change, 0);
  return `${points} ${/^[+−]1$/.test(points) ? "point" : "points"}`;
}
