// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { rateRange, series, timeLabel, timeMarks } from "../src/chart";
import { History, kSpanMs, thin } from "../src/history";

function fed(...totals: [at: number, up: number, down: number][]): History {
  const history = new History();
  for (const [at, up, down] of totals) history.add({ at, up, down });
  return history;
}

describe("History", () => {
  it("makes bits a second of byte totals", () => {
    const { points } = fed([0, 1000, 500], [2000, 3000, 600]);
    expect(points).toEqual([
      { at: 0, up: null, down: null },
      { at: 2000, up: 8000, down: 400 },
    ]);
  });

  it("loses no byte between statuses that come too fast", () => {
    const { points } = fed([0, 0, 0], [300, 100, 0], [600, 200, 0], [1000, 500, 0]);
    expect(points[1]).toEqual({ at: 1000, up: 4000, down: 0 });
    expect(points).toHaveLength(2);
  });

  it("leaves a gap where the page was not connected", () => {
    const { points } = fed([0, 0, 0], [1000, 10, 0], [60_000, 9000, 0], [61_000, 9100, 0]);
    expect(points.map((point) => point.up)).toEqual([null, 80, null, 800]);
  });

  it("does not take falling totals for traffic", () => {
    expect(fed([0, 5000, 0], [1000, 10, 0]).points[1]!.up).toBeNull();
    expect(fed([0, 0, 5000], [1000, 10, 0]).points[1]!.down).toBeNull();
  });

  it("forgets what is older than the chart", () => {
    const history = new History();
    for (let second = 0; second <= 1000; second++) history.add({ at: second * 1000, up: second, down: 0 });
    // One point beyond the edge: the curve comes in from outside.
    expect(history.points[0]!.at).toBe(1_000_000 - kSpanMs);
    expect(history.points).toHaveLength(kSpanMs / 1000 + 1);
  });

  it("shows half a minute first and ten minutes at last", () => {
    const history = fed([0, 0, 0]);
    expect([5000, 60_000, 9_000_000].map((now) => history.span(now))).toEqual([30_000, 60_000, kSpanMs]);
  });
});

describe("thin", () => {
  const second = (at: number, up: number | null) => ({ at: at * 1000, up, down: up });

  it("leaves a short span as it is", () => {
    const points = [second(1, 10), second(2, 20)];
    expect(thin(points, 120_000)).toEqual(points);
  });

  it("takes means by the clock, weighted by time", () => {
    const points = [second(0, null), second(1, 10), second(2, 20), second(4, 60), second(5, 7), second(6, 9)];
    // Ten minutes: steps of five seconds, [0, 5) and [5, 10).
    expect(thin(points, 600_000)).toEqual([second(0, null), second(4, (10 + 20 + 2 * 60) / 4), second(6, 8)]);
  });

  it("changes no step that is over when more comes", () => {
    const points = Array.from({ length: 40 }, (_, at) => second(at, at % 7));
    const before = thin(points.slice(0, 31), 600_000);
    expect(thin(points, 600_000).slice(0, before.length - 1)).toEqual(before.slice(0, -1));
  });

  it("keeps gaps, and takes nothing across them", () => {
    const points = [second(10, 4), second(11, 4), second(12, null), second(13, 2)];
    expect(thin(points, 600_000).map((point) => point.up)).toEqual([4, null, 2]);
  });
});

describe("chart", () => {
  it("hangs the downlink below the line and keeps gaps", () => {
    const points = [
      { at: 1000, up: 8, down: 4 },
      { at: 2000, up: null, down: null },
    ];
    expect(series(points, 3000)).toEqual([
      [-2, -1],
      [8, null],
      [-4, null],
    ]);
  });

  it("does not magnify an idle link's keepalives", () => {
    const [low, high] = rateRange(-20, 60);
    expect(high).toBeGreaterThanOrEqual(1000);
    expect(low).toBeLessThan(0);
    expect(rateRange(null, null)[1]).toBeGreaterThan(0);
  });

  it("holds everything shown", () => {
    const [low, high] = rateRange(-8000, 9600);
    expect(low).toBeLessThan(-8000);
    expect(high).toBeGreaterThan(9600);
  });

  it("sets as many time marks as there is room for, the last one at now", () => {
    expect(timeMarks(30, 6)).toEqual([-30, -25, -20, -15, -10, -5, 0]);
    expect(timeMarks(600, 6)).toEqual([-600, -480, -360, -240, -120, 0]);
    expect(timeMarks(600, 2)).toEqual([-600, -300, 0]);
    expect(timeLabel(0)).toBe("now");
    expect(timeLabel(-120).replace("\u00a0", " ")).toBe("−2 min");
  });
});
