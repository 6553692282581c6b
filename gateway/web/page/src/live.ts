// SPDX-License-Identifier: Apache-2.0
//
// The live feed: a WebSocket that brings the status as it changes, opened again whenever it is lost.
// The thin edge around `reconnect.ts`: owns the socket and the one timer, decides nothing.
import type { Status } from "./api";
import { type Phase, Reconnect } from "./reconnect";

export interface LiveEvents {
  onStatus(status: Status): void;
  /** `retryAt` (on `performance.now()`'s clock) is meaningful in phase "waiting". */
  onPhase(phase: Phase, retryAt: number): void;
  onSignedOut(): void;
}

/** What the feed needs from outside; a fake in the tests. */
export interface LiveEdge {
  now(): number;
  setTimer(callback: () => void, ms: number): number;
  clearTimer(id: number): void;
  openSocket(): WebSocket;
  fetchStatus(): Promise<Status>;
  isSignedIn(): Promise<boolean>;
}

export class Live {
  readonly #machine: Reconnect;
  #socket: WebSocket | null = null;
  #timer = 0;
  #stopped = false;

  constructor(
    private readonly edge: LiveEdge,
    private readonly events: LiveEvents,
    random: () => number = Math.random,
  ) {
    this.#machine = new Reconnect(random);
  }

  start(): void {
    this.#machine.hurry(this.edge.now());
    this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.edge.clearTimer(this.#timer);
    this.#dropSocket();
  }

  /** Connects at once when waiting, and otherwise makes sure that the connection still carries. */
  hurry(): void {
    if (this.#stopped) return;
    this.#machine.hurry(this.edge.now());
    this.#run();
  }

  /** Asks for the status now, without waiting for a push. */
  refresh(): void {
    const socket = this.#socket;
    this.edge.fetchStatus().then(
      (status) => {
        // An answer proves nothing about a socket that was replaced meanwhile.
        if (socket === this.#socket && !this.#stopped) this.#heard(status);
      },
      () => {},
    );
  }

  #run(): void {
    if (this.#stopped) return;
    const step = this.#machine.step(this.edge.now());
    if (step === "connect") this.#connect();
    if (step === "probe") this.refresh();
    if (step === "close") this.#dropSocket();
    this.#arm();
  }

  #arm(): void {
    this.edge.clearTimer(this.#timer);
    this.#timer = this.edge.setTimer(() => this.#run(), Math.max(0, this.#machine.nextWake - this.edge.now()));
    this.events.onPhase(this.#machine.phase, this.#machine.nextWake);
  }

  #connect(): void {
    const socket = this.edge.openSocket();
    let opened = false;
    this.#socket = socket;
    socket.onopen = () => {
      opened = true;
      this.#heard(null);
      // The feed speaks when something changes; the first picture is asked for.
      this.refresh();
    };
    socket.onmessage = (event) => {
      const status = parse(event.data);
      if (status) this.#heard(status);
    };
    socket.onclose = () => {
      if (socket !== this.#socket) return;
      this.#socket = null;
      this.#machine.lost(this.edge.now());
      this.#arm();
      // A browser does not tell a script why a WebSocket was refused: ask whether the session is still valid.
      if (!opened) this.#checkSession();
    };
  }

  #heard(status: Status | null): void {
    if (!this.#socket) return;
    this.#machine.heard(this.edge.now());
    if (status) this.events.onStatus(status);
    this.#arm();
  }

  #checkSession(): void {
    this.edge.isSignedIn().then(
      (signedIn) => {
        if (!signedIn && !this.#stopped) this.events.onSignedOut();
      },
      () => {},
    );
  }

  #dropSocket(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }
}

function parse(data: unknown): Status | null {
  try {
    return JSON.parse(String(data)) as Status;
  } catch {
    return null;
  }
}

/** The browser's own clock, timers and sockets. */
export function browserEdge(api: { status(): Promise<Status>; session(): Promise<unknown> }): LiveEdge {
  return {
    now: () => performance.now(),
    setTimer: (callback, ms) => window.setTimeout(callback, ms),
    clearTimer: (id) => window.clearTimeout(id),
    openSocket: () => {
      const scheme = location.protocol === "https:" ? "wss:" : "ws:";
      return new WebSocket(`${scheme}//${location.host}/api/v1/live`);
    },
    fetchStatus: () => api.status(),
    isSignedIn: async () => (await api.session()) !== null,
  };
}
