// SPDX-License-Identifier: Apache-2.0
import { beforeEach, describe, expect, it } from "vitest";
import type { Status } from "../src/api";
import { Live, type LiveEdge } from "../src/live";
import type { Phase } from "../src/reconnect";

/** A socket that does what the test says. */
class FakeSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: (() => void) | null = null;
  closed = false;
  close(): void {
    this.closed = true;
  }
}

const named = (name: string) => ({ name }) as Status;

class Bench implements LiveEdge {
  time = 0;
  timer: { callback: () => void; due: number } | null = null;
  sockets: FakeSocket[] = [];
  signedIn = true;
  fetches: { resolve(status: Status): void; reject(error: Error): void }[] = [];
  seen: string[] = [];
  phase: Phase | null = null;
  signedOut = 0;

  readonly live = new Live(
    this,
    {
      onStatus: (status) => this.seen.push(status.name),
      onPhase: (phase) => (this.phase = phase),
      onSignedOut: () => this.signedOut++,
    },
    () => 1,
  );

  now = () => this.time;
  setTimer = (callback: () => void, ms: number) => {
    this.timer = { callback, due: this.time + ms };
    return 1;
  };
  clearTimer = () => {
    this.timer = null;
  };
  openSocket = () => {
    this.sockets.push(new FakeSocket());
    return this.socket as unknown as WebSocket;
  };
  fetchStatus = () => new Promise<Status>((resolve, reject) => this.fetches.push({ resolve, reject }));
  isSignedIn = () => Promise.resolve(this.signedIn);

  get socket(): FakeSocket {
    return this.sockets[this.sockets.length - 1]!;
  }
  /** To the next timer and through it. */
  wake(): void {
    const { callback, due } = this.timer!;
    this.time = due;
    callback();
  }
}

/** Lets every promise that is settled already be heard. */
async function settled(): Promise<void> {
  for (let i = 0; i < 8; i++) await Promise.resolve();
}

describe("Live", () => {
  let bench: Bench;
  beforeEach(() => {
    bench = new Bench();
    bench.live.start();
  });

  it("asks for the first picture, then takes what is pushed", async () => {
    bench.socket.onopen!();
    expect(bench.phase).toBe("open");
    bench.fetches[0]!.resolve(named("first"));
    await settled();
    bench.socket.onmessage!({ data: JSON.stringify(named("pushed")) });
    expect(bench.seen).toEqual(["first", "pushed"]);
  });

  it("opens a new socket after a loss", () => {
    bench.socket.onopen!();
    bench.socket.onclose!();
    expect(bench.phase).toBe("waiting");
    bench.wake();
    expect(bench.sockets).toHaveLength(2);
    expect(bench.phase).toBe("connecting");
  });

  it("says when the session is over, and only then", async () => {
    bench.socket.onclose!();
    await settled();
    expect(bench.signedOut).toBe(0);
    bench.signedIn = false;
    bench.wake();
    bench.socket.onclose!();
    await settled();
    expect(bench.signedOut).toBe(1);
  });

  it("closes a silent connection that does not answer, and ignores its late words", async () => {
    bench.socket.onopen!();
    const old = bench.socket;
    bench.wake();
    expect(bench.fetches).toHaveLength(2);
    bench.wake();
    expect(old.closed).toBe(true);
    expect(bench.phase).toBe("waiting");
    bench.fetches[1]!.resolve(named("late"));
    await settled();
    old.onclose!();
    expect(bench.seen).toEqual([]);
    expect(bench.phase).toBe("waiting");
  });

  it("survives what is no JSON", () => {
    bench.socket.onopen!();
    bench.socket.onmessage!({ data: "{" });
    expect(bench.seen).toEqual([]);
    expect(bench.phase).toBe("open");
  });

  it("is quiet after stop", () => {
    bench.socket.onopen!();
    bench.live.stop();
    expect(bench.socket.closed).toBe(true);
    expect(bench.timer).toBeNull();
    bench.live.hurry();
    expect(bench.sockets).toHaveLength(1);
  });
});
