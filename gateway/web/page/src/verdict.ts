// SPDX-License-Identifier: Apache-2.0
//
// How good or bad things are, for colour, icon and announcement. Pure. The words are the gateway's own.
import type { LinkStatus, PlanStatus, Status } from "./api";
import type { Phase } from "./reconnect";

/** "move": neither good nor bad, but under way. */
export type Tone = "good" | "warn" | "bad" | "idle" | "move";

/** Of the sentence on top. An unreachable gateway makes what it said last neither good nor bad. */
export function overallTone(status: Status | null, phase: Phase): Tone {
  if (!status || phase !== "open") return "idle";
  if (!status.verdict.ok) return "bad";
  const worried = status.links.some((link) => link.plan && runsShort(link.plan));
  return worried || emergencies(status) > 0 ? "warn" : "good";
}

const kUpStates = new Set(["up", "online", "connected", "ready"]);
const kDownStates = new Set(["down", "offline", "closed", "refused", "failed"]);

export function linkTone(link: LinkStatus): Tone {
  if (kUpStates.has(link.state)) return "good";
  return kDownStates.has(link.state) ? "bad" : "warn";
}

const kPlanTones: Record<string, Tone> = { green: "good", yellow: "warn", orange: "warn", red: "bad" };

export function planTone(plan: PlanStatus): Tone {
  const tone = kPlanTones[plan.state] ?? (plan.used >= plan.included ? "bad" : "good");
  return tone === "good" && plan.runs_out_at != null ? "warn" : tone;
}

/** The quota may not last. (A used-up day alone, yellow, is how pacing looks on any busy afternoon.) */
function runsShort(plan: PlanStatus): boolean {
  return plan.runs_out_at != null || (planTone(plan) !== "good" && plan.state !== "yellow");
}

// A status lists its classes in the order of urgency; the first is the one that nothing holds back.
export const kEmergencyIndex = 0;

export function emergencies(status: Status): number {
  return status.classes[kEmergencyIndex]?.queued ?? 0;
}

export function balanced({ ledger: l }: Pick<Status, "ledger">): boolean {
  return l.accepted === l.delivered + l.expired + l.conflated + l.dropped + l.queued;
}

/** Changes whenever a message was accepted, settled or set out: time to ask for the list of messages again. */
export function ledgerMark(status: Status): string {
  const { accepted, delivered, expired, conflated, dropped, queued } = status.ledger;
  const flying = status.links.some((link) => link.inflight_bytes > 0);
  return [accepted, delivered, expired, conflated, dropped, queued, flying].join();
}

// The sentence holds figures that change all the time; a screen reader that reads each of them says nothing else.
const kAnnounceEveryMs = 60_000;

export interface Announced {
  text: string;
  tone: Tone;
  at: number;
}

/** What the live region says after `next`: at once when things turn good or bad, else at most once a minute. */
export function announce(last: Announced | null, next: Announced): Announced {
  if (!last || last.tone !== next.tone) return next;
  return last.text !== next.text && next.at - last.at >= kAnnounceEveryMs ? next : last;
}
