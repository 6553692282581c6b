// SPDX-License-Identifier: Apache-2.0
import type { Message } from "../api";
import { kFinalStates, messageTone, stateDetail } from "../message";
import { t } from "../strings";
import type { Tone } from "../verdict";

interface Step {
  name: string;
  more: string;
  tone: Tone;
  done: boolean;
}

/** Where one message is: stored, on the way, delivered; or how it ended otherwise. */
export function Progress({ sent, message }: { sent: boolean; message: Message | null }) {
  return (
    <ol class="progress">
      {steps(sent, message).map((step) => (
        <li key={step.name} class={`tone-${step.tone} ${step.done ? "done" : ""}`}>
          <span>{step.name}</span>
          <small>{step.more}</small>
        </li>
      ))}
    </ol>
  );
}

function steps(sent: boolean, message: Message | null): Step[] {
  const { states, stored } = t.messages;
  const state = message?.state ?? "queued";
  const ended = kFinalStates.has(state);
  const left = state === "in-flight" || state === "delivered";
  return [
    { name: stored, more: "", tone: sent ? "good" : "idle", done: sent },
    { name: states["in-flight"]!, more: "", tone: left ? (ended ? "good" : "move") : "idle", done: left },
    {
      name: ended ? (states[state] ?? state) : states.delivered!,
      more: ended && message ? stateDetail(message) : "",
      tone: ended ? messageTone(state) : "idle",
      done: ended,
    },
  ];
}
