// SPDX-License-Identifier: Apache-2.0
//
// A message's state in the list. Pure.
import type { Message } from "./api";
import { delay, toDate } from "./format";
import { t } from "./strings";
import type { Tone } from "./verdict";

const kTones: Record<string, Tone> = {
  delivered: "good",
  expired: "warn",
  dropped: "bad",
  "in-flight": "move",
};

/** States after which nothing happens to a message any more. */
export const kFinalStates: ReadonlySet<string> = new Set(["delivered", "expired", "conflated", "dropped"]);

export const messageTone = (state: string): Tone => kTones[state] ?? "idle";

/** From acceptance to delivery, in milliseconds; null where it was not (yet) delivered. */
export function tookMs(message: Pick<Message, "accepted_at" | "delivered_at">): number | null {
  const accepted = toDate(message.accepted_at);
  const delivered = toDate(message.delivered_at);
  // A clock that was set meanwhile makes nonsense of the difference.
  return accepted && delivered && delivered >= accepted ? delivered.getTime() - accepted.getTime() : null;
}

/** Why it ended as it did, or how long the delivery took; empty where there is nothing to add. */
export function stateDetail(message: Message): string {
  if (message.reason) return t.messages.reasons[message.reason] ?? message.reason;
  const took = tookMs(message);
  return took === null ? "" : t.after(delay(took));
}
