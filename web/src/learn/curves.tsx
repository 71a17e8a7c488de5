// The live curves.
import { info } from "../agent";
import { Chart } from "../ui/chart";
import type { Drawn, Point } from "./point";
import { log } from "./run";

export function Curves() {
  const points = log.value?.points ?? [];
  if (points.length === 0) {
    return (
      <div class="empty">
        <p>
          Here you will see the curves of its learning: what its games return, how sure the critic is, how its choices
          sharpen. Twenty iterations take a minute or a few, depending on the device. You can go on playing meanwhile.
        </p>
      </div>
    );
  }
  const x = points.map((point) => point.iteration);
  const of = (pick: (point: Point) => number | null | undefined) => points.map((point) => pick(point) ?? null);
  const metric = (name: Drawn) => of((point) => point.metrics[name]);
  const spread = (sign: 1 | -1) =>
    of(({ metrics }) => {
      const [mean, deviation] = [metrics["advantages.mean"], metrics["advantages.std"]];
      return mean === undefined || deviation === undefined ? null : mean + sign * deviation;
    });
  const best = info.value?.optimumReturn;
  return (
    <div class="curves">
      <div class="whole">
        <Chart
          title="Return of its games"
          note="Mean of each iteration’s games, chance included, with the 95 % interval; dots: always its likeliest words."
          x={x}
          xLabel="iteration"
          whole
          height={240}
          series={[
            {
              label: "as in training",
              colour: "--actor",
              data: of((point) => point.mean),
              low: of((point) => point.low),
              high: of((point) => point.high),
            },
            { label: "greedy", colour: "--critic", data: of((point) => point.greedy), line: false, points: true },
          ]}
          {...(best != null ? { mark: { label: "best possible", value: best } } : {})}
        />
      </div>
      {(["Q", "V"] as const).map((name) => (
        <Chart
          key={name}
          title={`Critic: error of ${name}`}
          x={x}
          xLabel="iteration"
          whole
          series={[
            { label: `${name}1`, colour: "--critic", data: metric(name === "Q" ? "q1.loss" : "v1.loss") },
            { label: `${name}2`, colour: "--quiet", data: metric(name === "Q" ? "q2.loss" : "v2.loss"), dash: true },
          ]}
        />
      ))}
      <Chart
        title="Advantage"
        note="Mean and spread: how differently the critic values what the actor says."
        x={x}
        xLabel="iteration"
        whole
        series={[
          { label: "mean", colour: "--critic", data: metric("advantages.mean"), low: spread(-1), high: spread(1) },
        ]}
      />
      <Chart
        title="Entropy"
        note="How undecided the actor is at each word piece, in nats."
        x={x}
        xLabel="iteration"
        whole
        series={[{ label: "actor", colour: "--actor", data: metric("rollout.entropy") }]}
      />
      <Chart
        title="Games a second"
        x={x}
        xLabel="iteration"
        whole
        digits={1}
        height={150}
        series={[{ label: "played", colour: "--actor", data: of((point) => point.gamesPerSecond) }]}
      />
      <Chart
        title="Games won"
        x={x}
        xLabel="iteration"
        whole
        height={150}
        bounds={[0, 1]}
        series={[{ label: "share", colour: "--actor", data: metric("rollout.win_rate") }]}
      />
    </div>
  );
}
