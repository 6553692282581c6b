// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { ClassStatus, LinkStatus, Message, PlanStatus, Status } from "../src/api";
import { messageTone, stateDetail, tookMs } from "../src/message";
import { announce, balanced, ledgerMark, linkTone, overallTone, planTone } from "../src/verdict";

const plan = (over: Partial<PlanStatus> = {}) =>
  ({ used: 10, included: 100, runs_out_at: null, state: "green", ...over }) as PlanStatus;
const link = (over: Partial<LinkStatus> = {}) =>
  ({ name: "sat", state: "up", inflight_bytes: 0, plan: plan(), ...over }) as LinkStatus;
const ledger = { accepted: 20, delivered: 10, expired: 1, conflated: 2, dropped: 3, queued: 4, duplicates: 99 };

function status(over: Partial<Status> = {}): Status {
  const classes = [{ name: "emergency", queued: 0 } as ClassStatus];
  return { verdict: { ok: true, text: "" }, links: [link()], classes, ledger, ...over } as Status;
}

describe("overallTone", () => {
  it("is good when the gateway says so and nothing is about to run out", () => {
    expect(overallTone(status(), "open")).toBe("good");
  });
  it("is bad when the gateway says so", () => {
    expect(overallTone(status({ verdict: { ok: false, text: "" } }), "open")).toBe("bad");
  });
  it("warns of a quota that runs out, and of an emergency that has not left", () => {
    expect(overallTone(status({ links: [link({ plan: plan({ runs_out_at: 1 }) })] }), "open")).toBe("warn");
    expect(overallTone(status({ classes: [{ name: "emergency", queued: 1 } as ClassStatus] }), "open")).toBe(
      "warn",
    );
  });
  it("takes a used-up day for what it is: pacing", () => {
    const dayUsed = (state: string) =>
      overallTone(status({ links: [link({ plan: plan({ state }) })] }), "open");
    expect(["yellow", "orange", "red"].map(dayUsed)).toEqual(["good", "warn", "warn"]);
  });
  it("claims nothing while the gateway cannot be heard", () => {
    expect(overallTone(status(), "waiting")).toBe("idle");
    expect(overallTone(null, "open")).toBe("idle");
  });
  it("needs neither plan nor classes", () => {
    expect(overallTone(status({ links: [link({ plan: null })], classes: [] }), "open")).toBe("good");
  });
});

describe("tones", () => {
  it("of a link: a state that this page does not know is no good news", () => {
    expect(
      ["up", "connected", "down", "refused", "connecting", "dancing"].map((state) => linkTone(link({ state }))),
    ).toEqual(["good", "good", "bad", "bad", "warn", "warn"]);
  });
  it("of a plan", () => {
    expect(["green", "yellow", "orange", "red"].map((state) => planTone(plan({ state })))).toEqual([
      "good",
      "warn",
      "warn",
      "bad",
    ]);
    expect(planTone(plan({ runs_out_at: "2026-11-20T00:00:00Z" }))).toBe("warn");
  });
  it("of a plan in a state that this page does not know: by the figures", () => {
    expect(planTone(plan({ state: "new" }))).toBe("good");
    expect(planTone(plan({ state: "new", used: 100 }))).toBe("bad");
  });
  it("of a message's state", () => {
    expect(["queued", "in-flight", "delivered", "expired", "dropped"].map(messageTone)).toEqual([
      "idle",
      "move",
      "good",
      "warn",
      "bad",
    ]);
  });
});

describe("books", () => {
  it("balance, copies left aside", () => {
    expect(balanced(status())).toBe(true);
    expect(balanced(status({ ledger: { ...ledger, queued: 5 } }))).toBe(false);
  });
  it("mark every change that the list of messages would show", () => {
    const before = ledgerMark(status());
    expect(ledgerMark(status({ ledger: { ...ledger, queued: 3, delivered: 11 } }))).not.toBe(before);
    expect(ledgerMark(status({ links: [link({ inflight_bytes: 80 })] }))).not.toBe(before);
    expect(ledgerMark(status({ uptime_s: 77 }))).toBe(before);
  });
});

describe("tookMs", () => {
  it("is the time from acceptance to delivery", () => {
    expect(tookMs({ accepted_at: "2026-11-14T12:00:00Z", delivered_at: "2026-11-14T12:00:01.500Z" })).toBe(
      1500,
    );
  });
  it("is unknown before, and when the clock was set back meanwhile", () => {
    expect(tookMs({ accepted_at: 100, delivered_at: null })).toBeNull();
    expect(tookMs({ accepted_at: 100, delivered_at: 90 })).toBeNull();
    expect(tookMs({ accepted_at: null, delivered_at: 90 })).toBeNull();
  });
});

describe("stateDetail", () => {
  const ended = (over: Partial<Message>) =>
    stateDetail({ reason: null, accepted_at: 0, delivered_at: null, ...over } as Message);
  it("names the reason in words, or as it came", () => {
    expect(ended({ reason: "store-full" })).toBe("the store is full");
    expect(ended({ reason: "moonlight" })).toBe("moonlight");
  });
  it("says how long a delivery took, and nothing of what is under way", () => {
    expect(ended({ reason: "", delivered_at: 2100 }).replace("\u00a0", " ")).toBe("after 2.1 s");
    expect(ended({})).toBe("");
  });
});

describe("announce", () => {
  const first = { text: "Works, 12 days left", tone: "good", at: 0 } as const;
  it("says the first sentence and every change of tone at once", () => {
    expect(announce(null, first)).toBe(first);
    const bad = { text: "The link is down", tone: "bad", at: 10 } as const;
    expect(announce(first, bad)).toBe(bad);
  });
  it("does not read out every changing figure", () => {
    expect(announce(first, { ...first, text: "Works, 11 days left", at: 59_999 })).toBe(first);
    expect(announce(first, { ...first, text: "Works, 11 days left", at: 60_000 }).text).toBe(
      "Works, 11 days left",
    );
  });
});
