// SPDX-License-Identifier: Apache-2.0
//
// When to connect the live feed, when to wait, when to doubt it. Pure: knows no socket and no clock; times are
// milliseconds on any steady clock. `live.ts` drives it.

export type Phase = "connecting" | "open" | "waiting";

/** What the owner has to do now: open a socket, ask the gateway whether it is still there, or close the socket. */
export type Step = "nothing" | "connect" | "probe" | "close";

// Doubles from the first to the last; the last is what an operator will put up with in front of a dead page.
const kFirstDelay = 500;
const kLastDelay = 15_000;
// A phone that changes networks leaves connections half open: no answer within this is no connection.
const kOpenWithin = 10_000;
// The status changes every second or so (uptime alone does); silence this long is worth a question,
const kQuietAfter = 12_000;
// and no answer within this ends the connection.
const kAnswerWithin = 8_000;

/** Wait before attempt number `attempt` (0 is the first retry); jitter spreads many pages after a gateway's restart. */
export function backoff(attempt: number, random: number): number {
  const ceiling = Math.min(kLastDelay, kFirstDelay * 2 ** Math.min(attempt, 16));
  return ceiling / 2 + (ceiling / 2) * random;
}

export class Reconnect {
  #phase: Phase = "waiting";
  #due = 0;
  #attempts = 0;
  #probing = false;

  constructor(private readonly random: () => number = Math.random) {}

  get phase(): Phase {
    return this.#phase;
  }
  /** When `step` has something to do next. */
  get nextWake(): number {
    return this.#due;
  }

  /** The socket is open, or something arrived on it. */
  heard(now: number): void {
    this.#phase = "open";
    this.#probing = false;
    this.#attempts = 0;
    this.#due = now + kQuietAfter;
  }

  /** The socket is gone, or never came to be. */
  lost(now: number): void {
    if (this.#phase === "waiting") return;
    this.#phase = "waiting";
    this.#probing = false;
    this.#due = now + backoff(this.#attempts++, this.random());
  }

  /** Somebody is looking, or the network came back: do not wait any longer, doubt an open connection at once. */
  hurry(now: number): void {
    if (this.#phase !== "connecting" && !this.#probing) this.#due = now;
  }

  step(now: number): Step {
    if (now < this.#due) return "nothing";
    if (this.#phase === "waiting") {
      this.#phase = "connecting";
      this.#due = now + kOpenWithin;
      return "connect";
    }
    if (this.#phase === "open" && !this.#probing) {
      this.#probing = true;
      this.#due = now + kAnswerWithin;
      return "probe";
    }
    this.lost(now);
    return "close";
  }
}
