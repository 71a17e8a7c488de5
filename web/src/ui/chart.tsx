// A line chart, drawn by uPlot in the page's colours. The figure's caption says in words what the newest
// values are, so that nobody needs to see the drawing.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { fixed } from "../format";
import "./chart.css";

export interface Series {
  label: string;
  /** A custom property of the style sheet, such as `--actor`. */
  colour: string;
  data: (number | null)[];
  /** The edges of an interval, drawn as a band behind the line. */
  low?: (number | null)[];
  high?: (number | null)[];
  dash?: boolean;
  /** Points at the values; only points where `line` is false. */
  points?: boolean;
  line?: boolean;
}

export interface ChartProps {
  title: string;
  x: number[];
  xLabel: string;
  series: Series[];
  /** Whether x counts things: no ticks between whole numbers. */
  whole?: boolean;
  /** A level to compare with. */
  mark?: { label: string; value: number };
  /** An x to point out. */
  selected?: number;
  /** Lowest and highest value to show; else what the data need. */
  bounds?: [number, number];
  height?: number;
  digits?: number;
  note?: string;
}

// Not every browser tells when it is idle.
const whenIdle = (paint: () => void): void => {
  if ("requestIdleCallback" in window) requestIdleCallback(paint, { timeout: 300 });
  else setTimeout(paint);
};

const dark = matchMedia("(prefers-color-scheme: dark)");

export function Chart(props: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const waits = useRef(false);
  const latest = useRef(props);
  latest.current = props;
  const shape = JSON.stringify(props.series.map(({ label, colour, low }) => [label, colour, low !== undefined]).concat([[props.mark !== undefined]]));
  const height = props.height ?? 190;
  // Lines that came or went need another plot: data for these do not fit into the one that is drawn.
  const wanted = useRef(shape);
  wanted.current = shape;
  const drawn = useRef("");

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const draw = () => {
      plot.current?.destroy();
      drawn.current = wanted.current;
      plot.current = new uPlot(
        options(latest.current, element, height, () => latest.current.selected, () => latest.current.mark?.value),
        dataOf(latest.current),
        element,
      );
    };
    draw();
    const resize = new ResizeObserver(() => {
      if (element.clientWidth > 0) plot.current?.setSize({ width: element.clientWidth, height });
    });
    resize.observe(element);
    // uPlot paints on a canvas: another theme must be painted again.
    const theme = new MutationObserver(draw);
    theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    dark.addEventListener("change", draw);
    return () => {
      resize.disconnect();
      theme.disconnect();
      dark.removeEventListener("change", draw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shape, height]);

  // Charts that change together are painted one by one when there is nothing else to do: a key must not
  // wait for all of them.
  useEffect(() => {
    if (waits.current) return;
    waits.current = true;
    whenIdle(() => {
      waits.current = false;
      if (drawn.current === wanted.current) plot.current?.setData(dataOf(latest.current));
    });
  }, [props.x, props.series, props.mark, props.selected]);

  return (
    <figure class="panel chart">
      <figcaption>
        <span class="name">{props.title}</span>
        <Legend {...props} />
      </figcaption>
      <div ref={place} style={{ height: `${height}px` }} aria-hidden="true" />
      {props.note && <p class="small quiet">{props.note}</p>}
    </figure>
  );
}

const last = (data: (number | null)[]) => data.findLast((value) => value !== null) ?? null;

function Legend({ series, mark, digits = 2 }: ChartProps) {
  return (
    <span class="legend num">
      {series.map((one) => {
        const value = last(one.data);
        return (
          <span key={one.label}>
            <span class={`key ${one.dash ? "dash" : ""}`} style={{ color: `var(${one.colour})` }} aria-hidden="true" />
            {one.label} <b>{value === null ? "–" : fixed(value, digits)}</b>
          </span>
        );
      })}
      {mark && (
        <span>
          <span class="key dash" style={{ color: "var(--good)" }} aria-hidden="true" />
          {mark.label} <b>{fixed(mark.value, digits)}</b>
        </span>
      )}
    </span>
  );
}

/** x, then for each series its line and, where it has them, the edges of its interval; then the level. */
function dataOf({ x, series, mark }: ChartProps): uPlot.AlignedData {
  const lines = series.flatMap((one) => [one.data, ...(one.low && one.high ? [one.high, one.low] : [])]);
  return [x, ...lines, ...(mark ? [x.map(() => mark.value)] : [])] as uPlot.AlignedData;
}

/** A custom property as a colour that a canvas understands. */
function colourOf(element: HTMLElement, name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  element.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

const faint = (colour: string) => colour.replace(/^rgb\((.*)\)$/, "rgba($1, 0.16)");

function options(
  props: ChartProps,
  element: HTMLElement,
  height: number,
  chosen: () => number | undefined,
  level: () => number | undefined,
): uPlot.Options {
  const [quiet, grid, good, actor] = ["--quiet", "--line", "--good", "--actor"].map((name) => colourOf(element, name));
  const lines: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  for (const one of props.series) {
    const colour = colourOf(element, one.colour);
    lines.push({
      stroke: colour,
      width: one.line === false ? 0 : 2,
      spanGaps: true,
      points: { ...(one.points ? { show: true } : {}), size: one.line === false ? 8 : 5, fill: colour },
      ...(one.dash ? { dash: [5, 4] } : {}),
    });
    if (one.low && one.high) {
      const at = lines.length;
      bands.push({ series: [at, at + 1], fill: faint(colour) });
      lines.push({ width: 0, points: { show: false } }, { width: 0, points: { show: false } });
    }
  }
  // The level only widens the scale here: as a line it would need two points.
  if (props.mark) lines.push({ width: 0, points: { show: false } });
  const font = `12px ${getComputedStyle(element).fontFamily}`;
  const axis = {
    stroke: quiet as string,
    font,
    grid: { stroke: grid as string, width: 1 },
    ticks: { show: false },
  };
  return {
    width: Math.max(element.clientWidth, 100),
    height,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: false, range: (_, low, high) => (low === high ? [low - 1, high + 1] : [low, high]) },
      ...(props.bounds ? { y: { range: props.bounds } } : {}),
    },
    axes: [
      { ...axis, size: 26, gap: 4, ...(props.whole ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] } : {}) },
      {
        ...axis,
        size: 46,
        gap: 6,
        values: (_, splits) => splits.map((value) => String(+value.toFixed(6)).replace("-", "−")),
      },
    ],
    series: lines,
    bands,
    hooks: { draw: [(self) => drawLevel(self, level(), good as string), (self) => pointOut(self, chosen(), actor as string)] },
  };
}

/** Draws an upright line at the chosen x. */
function pointOut(self: uPlot, at: number | undefined, colour: string): void {
  if (at === undefined) return;
  const x = self.valToPos(at, "x", true);
  const { top, height } = self.bbox;
  stroke(self.ctx, colour, [], [x, top], [x, top + height]);
}

/** Draws a dashed line at the level to compare with, from edge to edge. */
function drawLevel(self: uPlot, value: number | undefined, colour: string): void {
  if (value === undefined) return;
  const y = self.valToPos(value, "y", true);
  const { left, width } = self.bbox;
  stroke(self.ctx, colour, [6, 5], [left, y], [left + width, y]);
}

function stroke(ctx: CanvasRenderingContext2D, colour: string, dash: number[], from: [number, number], to: [number, number]): void {
  ctx.save();
  ctx.setLineDash(dash.map((length) => length * devicePixelRatio));
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(...from);
  ctx.lineTo(...to);
  ctx.stroke();
  ctx.restore();
}
