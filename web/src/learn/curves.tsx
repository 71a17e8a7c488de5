// The live curves.
import { Chart } from "../ui/chart";
import type { Drawn, Point } from "./point";
import { log } from "./run";

export function Curves() {
  const points = log.value?.points ?? [];
  if (points.length === 0) {
    return (
      <div class="empty">
        <p>
          The learning curve appears here: the average score of the games in each iteration. Training takes from under a minute to
          several minutes, depending on the device.
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
  const best = log.value?.best;
  const any = (values: (number | null)[]) => values.some((value) => value !== null);
  const advantages = metric("advantages.mean");
  return (
    <>
      <div class="main-curve">
        <Chart
          title="Score per game"
          note="Mean of each iteration’s games (sampled), with 95% interval. Dots: greedy play."
          x={x}
          xLabel="iteration"
          whole
          height={300}
          series={[
            {
              label: "sampled",
              colour: "--actor",
              data: of((point) => point.mean),
              low: of((point) => point.low),
              high: of((point) => point.high),
            },
            { label: "greedy", colour: "--critic", data: of((point) => point.greedy), line: false, points: true },
          ]}
          {...(best != null ? { mark: { label: "perfect player", value: best } } : {})}
        />
      </div>
      <details class="more">
      <summary>More charts</summary>
      <div class="curves">
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
      {any(advantages) && <Chart
        title="Advantage"
        note="How much better than usual the critic rates the actor’s questions: mean and spread."
        x={x}
        xLabel="iteration"
        whole
        series={[
          { label: "mean", colour: "--critic", data: advantages, low: spread(-1), high: spread(1) },
        ]}
      />}
      <Chart
        title="Entropy"
        note="How undecided the actor is, per token, in nats."
        x={x}
        xLabel="iteration"
        whole
        series={[{ label: "actor", colour: "--actor", data: metric("rollout.entropy") }]}
      />
      <Chart
        title="Games per second"
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
      </details>
    </>
  );
}
