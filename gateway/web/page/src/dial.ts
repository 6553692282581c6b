// SPDX-License-Identifier: Apache-2.0
//
// The geometry of the quota's dial. Pure: parts of 1, degrees clockwise from the top, a viewBox in its own units.
import type { PlanStatus } from "./api";

/** Where the parts end, 0..1 of the dial: used | free | kept for emergencies. */
export interface Shares {
  used: number;
  free: number;
  reserve: number;
  /** Where the forecast puts the cycle's end; null where there is none or it lies where the use already is. */
  forecast: number | null;
}

export function shares(plan: Pick<PlanStatus, "included" | "used" | "reserve" | "forecast_end_bytes">): Shares {
  if (!(plan.included > 0)) return { used: 1, free: 0, reserve: 0, forecast: null };
  const part = (bytes: number) => Math.min(1, Math.max(0, bytes / plan.included));
  const used = part(plan.used);
  const reserve = Math.min(part(plan.reserve), 1 - used);
  const forecast = plan.forecast_end_bytes == null ? null : part(plan.forecast_end_bytes);
  return {
    used,
    reserve,
    free: Math.max(0, 1 - used - reserve),
    forecast: forecast !== null && forecast > used ? forecast : null,
  };
}

// Open at the bottom: the dial reads like a fuel gauge, from empty at the left to full at the right.
const kFrom = -135;
const kSweep = 270;

export function angle(part: number): number {
  return kFrom + kSweep * part;
}

export function point(radius: number, degrees: number): [number, number] {
  const radians = ((degrees - 90) * Math.PI) / 180;
  return [round(radius * Math.cos(radians)), round(radius * Math.sin(radians))];
}

/** An SVG path along the dial from one part to another, around (0, 0). */
export function arc(radius: number, from: number, to: number): string {
  const [x0, y0] = point(radius, angle(from));
  const [x1, y1] = point(radius, angle(to));
  const large = kSweep * (to - from) > 180 ? 1 : 0;
  return `M${x0} ${y0}A${radius} ${radius} 0 ${large} 1 ${x1} ${y1}`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
