// SPDX-License-Identifier: Apache-2.0
//
// A gateway that only pretends: messages come, wait, cross a 9600 bit/s link and are delivered. It answers in the
// shapes of the HTTP API. Pure: time comes in by `step(seconds)`, chance from a seed.

const kTtlS = { telemetry: 90, bulk: 600 };
const kLinkBytesPerS = 1200;
const kCrossingS = 1.3;
const kPacked = 0.42; // of payload and topic, what is left in a frame
const kPerMessageWire = 31; // headers and acknowledgements
const kKept = 50;
const kIncluded = 50_000_000;
const kReserve = 4_000_000;

const kSources = [
  { every: 0.9, class: "telemetry", kind: "telemetry", bytes: [62, 118] },
  { every: 2.3, class: "telemetry", kind: "position", bytes: [58, 90] },
  { every: 6, class: "message", kind: "text", bytes: [70, 210] },
  { every: 9, class: "normal", kind: "sensor", bytes: [90, 260] },
  { every: 40, class: "bulk", kind: "log", bytes: [3200, 7400] },
];
const kNodes = ["!7efeee00", "!a1b20c44", "!3c90f1d2", "!e55d0b7a", "!09c7a6f1", "!b8b0144e"];

export class Model {
  #random;
  #seconds = 0;
  #nextId = 48_213;
  #budget = 0;
  #onTheWire = 0;
  #minute = [];
  #lastDelivered = 4;
  #flight = [];
  #all = [];
  classes = ["emergency", "message", "normal", "telemetry", "bulk"].map((name) => ({
    name,
    queue: [],
    paused: false,
    delivered: { emergency: 3, message: 2841, normal: 1204, telemetry: 31_520, bulk: 46 }[name],
    expired: { telemetry: 212 }[name] ?? 0,
    conflated: { telemetry: 8417 }[name] ?? 0,
    dropped: { bulk: 2 }[name] ?? 0,
  }));
  link = {
    payload: 6_204_118,
    frame: 2_291_400,
    up: 3_012_770,
    down: 684_220,
    upToday: 402_300,
    downToday: 91_840,
  };

  constructor({ plan = true, seed = 7 } = {}) {
    this.plan = plan;
    this.#random = () => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return seed / 2 ** 32;
    };
    for (let i = 0; i < 120; i++) this.step(0.5);
  }

  step(seconds) {
    this.#seconds += seconds;
    this.#lastDelivered += seconds;
    for (const source of kSources) {
      if (this.#random() < seconds / source.every) this.#arrive(source);
    }
    this.#minute = this.#minute.filter((at) => at > this.#seconds - 60);
    this.#expire();
    this.#send(seconds);
    this.#transmit(seconds);
    this.#deliver();
    this.link.down += 4;
  }

  accept(topic, payload, className) {
    const one = this.classes.find((candidate) => candidate.name === (className || "normal"));
    if (!one) return null;
    return this.#enqueue({
      topic,
      class: one.name,
      kind: "api",
      node: "operator",
      bytes: payload.length + topic.length,
    });
  }

  pause(name, paused) {
    const one = this.classes.find((candidate) => candidate.name === name);
    if (one) one.paused = paused;
    return one !== undefined;
  }

  #arrive({ class: className, kind, bytes: [least, most] }) {
    const node = kNodes[Math.floor(this.#random() * kNodes.length)];
    const topic = className === "bulk" ? `mesh/${node.slice(1)}/log` : `msh/KZ/2/e/LongFast/${node}`;
    const bytes = Math.round(least + (most - least) * this.#random());
    this.#conflate(className, node, kind);
    this.#enqueue({ topic, class: className, kind, node, bytes });
  }

  #conflate(className, node, kind) {
    if (className !== "telemetry") return;
    const one = this.classes[3];
    const old = one.queue.find((message) => message.node === node && message.kind === kind);
    if (!old) return;
    one.queue.splice(one.queue.indexOf(old), 1);
    one.conflated++;
    old.state = "conflated";
  }

  #enqueue(message) {
    Object.assign(message, {
      id: this.#nextId++,
      state: "queued",
      at: this.#seconds,
      delivered: null,
      reason: null,
    });
    this.classes.find((one) => one.name === message.class).queue.push(message);
    this.#all = [message, ...this.#all].slice(0, kKept);
    this.#minute.push(this.#seconds);
    return message.id;
  }

  #expire() {
    for (const one of this.classes) {
      const ttl = kTtlS[one.name] ?? Infinity;
      while (one.queue[0] && this.#seconds - one.queue[0].at > ttl) {
        one.queue.shift().state = "expired";
        one.expired++;
      }
    }
  }

  #send(seconds) {
    this.#budget = Math.min(this.#budget + kLinkBytesPerS * seconds, kLinkBytesPerS * seconds);
    for (const one of this.classes) {
      // Telemetry waits for company: that is what makes the curve a row of bursts.
      const hold = one.name === "telemetry" && one.queue.length < 9;
      while (!one.paused && !hold && one.queue[0]) {
        const wire = Math.round(one.queue[0].bytes * kPacked) + kPerMessageWire;
        // A message longer than a step leaves a debt that the next steps pay.
        if (this.#budget <= 0) return;
        this.#budget -= wire;
        const message = one.queue.shift();
        Object.assign(message, { state: "in-flight", wire, due: this.#seconds + kCrossingS });
        this.#flight.push(message);
        this.link.payload += message.bytes;
        this.link.frame += wire - kPerMessageWire;
        this.#onTheWire += wire;
      }
    }
  }

  #transmit(seconds) {
    const now = Math.min(this.#onTheWire, Math.round(kLinkBytesPerS * seconds));
    this.#onTheWire -= now;
    this.link.up += now;
    this.link.upToday += now;
  }

  #deliver() {
    const arrived = this.#flight.filter((message) => message.due <= this.#seconds);
    this.#flight = this.#flight.filter((message) => message.due > this.#seconds);
    for (const message of arrived) {
      Object.assign(message, { state: "delivered", delivered: this.#seconds });
      this.classes.find((one) => one.name === message.class).delivered++;
      this.link.down += 28;
      this.link.downToday += 28;
      this.#lastDelivered = 0;
    }
  }

  #flightOf(name) {
    return this.#flight.filter((message) => message.class === name);
  }

  messages(limit) {
    const wall = (seconds) => new Date(Date.now() - (this.#seconds - seconds) * 1000).toISOString();
    return this.#all.slice(0, limit).map((message) => ({
      id: message.id,
      topic: message.topic,
      class: message.class,
      node: message.node,
      kind: message.kind,
      state: message.state,
      reason: message.reason,
      bytes: message.bytes,
      accepted_at: wall(message.at),
      age_s: this.#seconds - message.at,
      delivered_at: message.delivered === null ? null : wall(message.delivered),
      cost: null,
      wire_bytes: message.wire ?? null,
    }));
  }

  #classStatus(one) {
    const flight = this.#flightOf(one.name);
    const oldest = flight[0] ?? one.queue[0];
    const all = [...flight, ...one.queue];
    return {
      name: one.name,
      queued: all.length,
      queued_bytes: all.reduce((sum, message) => sum + message.bytes, 0),
      oldest_s: oldest ? this.#seconds - oldest.at : null,
      delivered: one.delivered,
      paused: one.paused,
      bytes_in_flight: flight.reduce((sum, message) => sum + message.wire, 0),
      expired: one.expired,
      conflated: one.conflated,
      dropped: one.dropped,
      hold_reason: one.name === "telemetry" && !flight.length && all.length ? "waits for company" : null,
    };
  }

  #planStatus() {
    const used = 18_344_200 + this.link.up + this.link.down;
    const reset = new Date(Date.now() + 12.4 * 86_400_000);
    reset.setMinutes(0, 0, 0);
    return {
      name: "certus-100",
      included: kIncluded,
      used,
      left: kIncluded - kReserve - used,
      percent: (used / kIncluded) * 100,
      cost: 0,
      currency: "USD",
      resets_at: reset.toISOString(),
      forecast_end_bytes: 38_600_000,
      runs_out_at: null,
      daily_allowance: Math.round((kIncluded - kReserve - used) / 12.4),
      state: "green",
      reserve: kReserve,
    };
  }

  status() {
    const classes = this.classes.map((one) => this.#classStatus(one));
    const sum = (key) => classes.reduce((total, one) => total + one[key], 0);
    const ledger = {
      delivered: sum("delivered"),
      expired: sum("expired"),
      conflated: sum("conflated"),
      dropped: sum("dropped"),
      queued: sum("queued"),
      duplicates: 1312,
    };
    ledger.accepted = ledger.delivered + ledger.expired + ledger.conflated + ledger.dropped + ledger.queued;
    const until = this.plan ? "The quota lasts until it starts anew on 5 December." : "No plan is set.";
    return {
      name: "almaty-roof",
      version: "0.1.0",
      uptime_s: Math.floor(this.#seconds) + 86_000,
      clock: { trusted: true },
      verdict: { ok: true, text: `Everything works. ${until}` },
      mesh: { connected: true, durable: true, note: null, accepted_last_minute: this.#minute.length },
      ledger,
      classes,
      links: [this.#linkStatus()],
      store: { ok: true, bytes: 8_120_000, max_bytes: 1_000_000_000, note: null, written_today: 214_000_000 },
      last_delivered_s: this.#lastDelivered,
    };
  }

  #linkStatus() {
    const flying = this.#flight.reduce((sum, message) => sum + message.wire, 0);
    return {
      name: "sat",
      transport: "tls",
      state: "up",
      rate_bps: 9600,
      rate_down_bps: 8800,
      rtt_ms: 620 + Math.round(this.#random() * 60),
      payload_up: this.link.payload,
      frame_up: this.link.frame,
      wire_up: this.link.up,
      wire_down: this.link.down,
      wire_up_today: this.link.upToday,
      wire_down_today: this.link.downToday,
      session_opens: 4,
      inflight_bytes: flying,
      up_since_s: Math.floor(this.#seconds) + 11_460,
      last_contact_s: Math.min(this.#lastDelivered, 9),
      plan: this.plan ? this.#planStatus() : null,
    };
  }
}
