// SPDX-License-Identifier: Apache-2.0
//
// The last ten minutes of a link's throughput, from the byte totals that each status carries. Pure: times are
// milliseconds on a steady clock, rates bits a second.

/** What a status says about one link at one moment. */
export interface Totals {
  at: number;
  up: number;
  down: number;
}

/** Mean rates of the interval that ends at `at`; null: not known (the page was not connected). */
export interface Point {
  at: number;
  up: number | null;
  down: number | null;
}

export const kSpanMs = 600_000;
// The chart begins with this and grows to the whole span: half a minute fills it sooner than ten.
const kFirstSpanMs = 30_000;
// Two statuses closer than this make one point: a rate over a few milliseconds is noise.
const kLeastMs = 900;
// Longer silence is a gap in the curve, not a low rate: what passed meanwhile has no known shape.
const kGapMs = 15_000;

export class History {
  #points: Point[] = [];
  #last: Totals | null = null;
  #first = 0;

  get points(): readonly Point[] {
    return this.#points;
  }

  add(totals: Totals): void {
    const last = this.#last;
    if (!last) {
      this.#first = totals.at;
      this.#last = totals;
      return;
    }
    const elapsed = totals.at - last.at;
    if (elapsed < kLeastMs) return;
    this.#last = totals;
    // Totals only grow; less means another installation or a restored state answers now.
    const broken = elapsed > kGapMs || totals.up < last.up || totals.down < last.down;
    const perSecond = (bytes: number) => (broken ? null : (bytes * 8000) / elapsed);
    if (this.#points.length === 0) this.#points.push({ at: last.at, up: null, down: null });
    this.#points.push({
      at: totals.at,
      up: perSecond(totals.up - last.up),
      down: perSecond(totals.down - last.down),
    });
    const oldest = totals.at - kSpanMs;
    while (this.#points.length > 1 && this.#points[1]!.at <= oldest) this.#points.shift();
  }

  /** The points as means over a few seconds, fewer the more time is shown: bursts, not a comb. */
  thinned(now: number): Point[] {
    return thin(this.#points, this.span(now));
  }

  /** How much time the chart shows at `now`. */
  span(now: number): number {
    return this.#last ? Math.min(kSpanMs, Math.max(kFirstSpanMs, now - this.#first)) : kFirstSpanMs;
  }
}

// Steps that an eye can tell apart across a phone's chart.
const kMostSteps = 120;

/** Means over `spanMs` / 120, a whole number of seconds; by the clock, so that a step stays as it is once it is over. */
export function thin(points: readonly Point[], spanMs: number): Point[] {
  const stepMs = Math.floor(spanMs / kMostSteps / 1000) * 1000;
  if (stepMs < 2000) return [...points];
  const means: Point[] = [];
  // The begin of the first interval has left the list; it was about this long.
  let from = (points[0]?.at ?? 0) - kLeastMs;
  let step = { index: -1, ms: 0, up: 0, down: 0 };
  for (const { at, up, down } of points) {
    const ms = at - from;
    from = at;
    const index = Math.floor(at / stepMs);
    const known = up !== null && down !== null;
    if (!known || index !== step.index) step = { index: known ? index : -1, ms: 0, up: 0, down: 0 };
    else means.pop();
    step = { ...step, ms: step.ms + ms, up: step.up + (up ?? 0) * ms, down: step.down + (down ?? 0) * ms };
    means.push(known ? { at, up: step.up / step.ms, down: step.down / step.ms } : { at, up, down });
  }
  return means;
}
