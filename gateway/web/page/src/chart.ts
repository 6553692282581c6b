// SPDX-License-Identifier: Apache-2.0
//
// What uPlot draws and how: steps (each value is the mean of the interval before it), up above the line, down below.
import uPlot from "uplot";
import * as format from "./format";
import type { Point } from "./history";
import { t } from "./strings";

// The scale never shrinks below this: an idle link's keepalives would look like a storm.
const kLeastRate = 1000;
// Room for one mark of the time axis, in CSS pixels.
const kMarkWidth = 84;

/** Columns for uPlot: seconds before now (negative), rate up, rate down (negated, to hang below the line). */
export function series(points: readonly Point[], now: number): uPlot.AlignedData {
  const x: number[] = [];
  const up: (number | null)[] = [];
  const down: (number | null)[] = [];
  for (const point of points) {
    x.push(Math.min(0, (point.at - now) / 1000));
    up.push(point.up);
    down.push(point.down === null ? null : -point.down);
  }
  return [x, up, down];
}

/** Limits of the y axis around everything shown, with some air. */
export function rateRange(min: number | null, max: number | null): [number, number] {
  const top = Math.max(max ?? 0, kLeastRate);
  return [Math.min(min ?? 0, -top / 4) * 1.15, top * 1.15];
}

/** Where the time axis has its marks, in seconds before now; `most` of them beside the one for now. */
export function timeMarks(spanS: number, most: number): number[] {
  const step = [5, 10, 15, 30, 60, 120, 300].find((s) => spanS / s <= most) ?? 600;
  const marks: number[] = [];
  for (let at = 0; at >= -spanS; at -= step) marks.unshift(at === 0 ? 0 : at);
  return marks;
}

export const timeLabel = (at: number): string => (at === 0 ? t.now : t.minus(format.duration(-at)));

export function chartOptions(
  element: HTMLElement,
  onPoint: (index: number | null) => void,
): Omit<uPlot.Options, "width" | "height"> {
  const style = getComputedStyle(element);
  const colour = (name: string) => () => style.getPropertyValue(name).trim();
  const font = `11px ${style.fontFamily}`;
  const steps = uPlot.paths.stepped!({ align: -1 });
  const curve = (name: string): uPlot.Series => ({
    stroke: colour(`--${name}`),
    fill: colour(`--${name}-fill`),
    width: 1.5,
    paths: steps,
    points: { show: false },
  });
  const axis: uPlot.Axis = {
    stroke: colour("--muted"),
    font,
    ticks: { show: false },
    grid: { stroke: colour("--line"), width: 1 },
  };
  return {
    legend: { show: false },
    padding: [8, 18, 0, 0],
    cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: false, auto: false }, y: { range: (_, min, max) => rateRange(min, max) } },
    series: [{}, curve("up"), curve("down")],
    axes: [
      {
        ...axis,
        size: 26,
        gap: 6,
        grid: { show: false },
        splits: (plot) =>
          timeMarks(-(plot.scales.x!.min ?? 0), Math.max(2, Math.floor(plot.width / kMarkWidth))),
        values: (_, splits) => splits.map(timeLabel),
      },
      {
        ...axis,
        size: 74,
        gap: 8,
        space: 36,
        values: (_, splits) => splits.map((value) => format.roundRate(Math.abs(value))),
      },
    ],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  };
}
