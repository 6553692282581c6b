// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { angle, arc, point, shares } from "../src/dial";

const plan = (used: number, reserve = 10, forecast: number | null = null) =>
  shares({ included: 100, used, reserve, forecast_end_bytes: forecast });

describe("shares", () => {
  it("splits the dial into used, free and kept for emergencies", () => {
    const { used, free, reserve } = plan(30);
    expect([used, free, reserve]).toEqual([0.3, expect.closeTo(0.6), 0.1]);
  });
  it("eats into the reserve only at the end", () => {
    expect(plan(95)).toMatchObject({ used: 0.95, free: 0, reserve: expect.closeTo(0.05) });
  });
  it("is full, not fuller, beyond the included volume", () => {
    expect(plan(140)).toEqual({ used: 1, free: 0, reserve: 0, forecast: null });
  });
  it("marks the forecast where it says something", () => {
    expect(plan(30, 10, 80).forecast).toBe(0.8);
    expect(plan(30, 10, 170).forecast).toBe(1);
    expect(plan(30, 10, 20).forecast).toBeNull();
    expect(plan(30).forecast).toBeNull();
  });
  it("survives a plan that includes nothing", () => {
    expect(shares({ included: 0, used: 5, reserve: 0, forecast_end_bytes: 9 })).toMatchObject({
      used: 1,
      reserve: 0,
    });
  });
});

describe("arc", () => {
  it("runs from lower left over the top to lower right", () => {
    expect(angle(0)).toBe(-135);
    expect(angle(0.5)).toBe(0);
    expect(angle(1)).toBe(135);
    expect(point(10, 0)).toEqual([0, -10]);
    expect(point(10, 90)).toEqual([10, 0]);
  });
  it("takes the long way round only where the part is long", () => {
    expect(arc(10, 0, 0.5)).toContain("A10 10 0 0 1 0 -10");
    expect(arc(10, 0, 1)).toContain("A10 10 0 1 1");
  });
});
