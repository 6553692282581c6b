// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { Reconnect, backoff } from "../src/reconnect";

const kNoJitter = () => 1;

function opened(): Reconnect {
  const machine = new Reconnect(kNoJitter);
  expect(machine.step(0)).toBe("connect");
  machine.heard(0);
  return machine;
}

describe("backoff", () => {
  it("doubles up to its limit", () => {
    expect([0, 1, 2, 3, 4, 5, 6, 1000].map((attempt) => backoff(attempt, 1))).toEqual([
      500, 1000, 2000, 4000, 8000, 15_000, 15_000, 15_000,
    ]);
  });
  it("spreads over the upper half, so that no retry comes at once", () => {
    expect(backoff(3, 0)).toBe(2000);
    expect(backoff(3, 0.5)).toBe(3000);
  });
});

describe("Reconnect", () => {
  it("connects at once when it is new", () => {
    const machine = new Reconnect(kNoJitter);
    expect(machine.step(0)).toBe("connect");
    expect(machine.phase).toBe("connecting");
  });

  it("waits longer after each failure, and begins anew after a success", () => {
    const machine = new Reconnect(kNoJitter);
    const waits: number[] = [];
    let now = 0;
    for (let i = 0; i < 4; i++) {
      expect(machine.step(now)).toBe("connect");
      machine.lost(now);
      waits.push(machine.nextWake - now);
      expect(machine.step(machine.nextWake - 1)).toBe("nothing");
      now = machine.nextWake;
    }
    expect(waits).toEqual([500, 1000, 2000, 4000]);
    machine.step(now);
    machine.heard(now);
    machine.lost(now);
    expect(machine.nextWake - now).toBe(500);
  });

  it("gives up on a connection that does not open", () => {
    const machine = new Reconnect(kNoJitter);
    machine.step(0);
    expect(machine.step(machine.nextWake)).toBe("close");
    expect(machine.phase).toBe("waiting");
  });

  it("asks after silence, closes when nothing answers", () => {
    const machine = opened();
    expect(machine.step(11_999)).toBe("nothing");
    expect(machine.step(12_000)).toBe("probe");
    expect(machine.phase).toBe("open");
    expect(machine.step(19_999)).toBe("nothing");
    expect(machine.step(20_000)).toBe("close");
    expect(machine.phase).toBe("waiting");
  });

  it("is content when the question is answered", () => {
    const machine = opened();
    machine.step(12_000);
    machine.heard(12_500);
    expect(machine.step(20_000)).toBe("nothing");
    expect(machine.nextWake).toBe(24_500);
  });

  it("does not wait when somebody is looking", () => {
    const machine = opened();
    machine.lost(0);
    machine.hurry(10);
    expect(machine.step(10)).toBe("connect");
  });

  it("doubts an open connection when hurried, but only once at a time", () => {
    const machine = opened();
    machine.hurry(100);
    expect(machine.step(100)).toBe("probe");
    machine.hurry(101);
    expect(machine.step(101)).toBe("nothing");
  });

  it("lets an attempt that is under way run on when hurried", () => {
    const machine = new Reconnect(kNoJitter);
    machine.step(0);
    machine.hurry(5);
    expect(machine.step(5)).toBe("nothing");
  });

  it("counts one loss once, however often it is told", () => {
    const machine = opened();
    machine.lost(0);
    machine.lost(0);
    expect(machine.nextWake).toBe(500);
  });
});
