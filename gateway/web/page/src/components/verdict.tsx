// SPDX-License-Identifier: Apache-2.0
import { useRef } from "preact/hooks";
import * as format from "../format";
import type { LiveView } from "../hooks/use-live";
import { useNow } from "../hooks/use-now";
import { t } from "../strings";
import { type Announced, announce, emergencies, overallTone } from "../verdict";
import { AlertIcon, CheckIcon, CloudOffIcon } from "./icons";

/** The sentence on top: does it work, how long does the quota last; and whether this page knows. */
export function Verdict({ live, onRetry }: { live: LiveView; onRetry(): void }) {
  const { status, phase } = live;
  const text = t.verdict;
  const tone = overallTone(status, phase);
  const sentence = status?.verdict.text ?? (phase === "waiting" ? text.silent : text.reaching);
  const urgent = status ? emergencies(status) : 0;

  const said = useRef<Announced | null>(null);
  const spoken = phase === "open" ? sentence : status ? text.stale(format.clock(live.receivedTime)) : sentence;
  said.current = announce(said.current, { text: spoken, tone, at: performance.now() });

  return (
    <section class={`verdict tone-${tone}`} aria-label={text.heading}>
      <span class="verdict-icon">
        {tone === "good" ? (
          <CheckIcon size={24} />
        ) : tone === "idle" ? (
          <CloudOffIcon size={24} />
        ) : (
          <AlertIcon size={24} />
        )}
      </span>
      <div class="verdict-words">
        <h1>{sentence}</h1>
        {phase !== "open" && (status || phase === "waiting") && <Lost live={live} onRetry={onRetry} />}
        {phase === "open" && urgent > 0 && (
          <p class="verdict-note urgent">{text.emergency(format.count(urgent))}</p>
        )}
        {phase === "open" && status && !status.clock.trusted && <p class="verdict-note">{text.clock}</p>}
      </div>
      <p class="sr-only" aria-live="polite">
        {said.current.text}
      </p>
    </section>
  );
}

function Lost({ live, onRetry }: { live: LiveView; onRetry(): void }) {
  const text = t.verdict;
  const now = useNow(live.phase === "waiting");
  const seconds = Math.max(1, Math.ceil((live.retryAt - now) / 1000));
  return (
    <p class="verdict-note lost">
      <span>
        {live.status && text.stale(format.clock(live.receivedTime))}{" "}
        {live.phase === "waiting" ? text.retryIn(format.duration(seconds)) : text.retrying}
      </span>
      <button type="button" class="button" onClick={onRetry} disabled={live.phase !== "waiting"}>
        {text.retryNow}
      </button>
    </p>
  );
}
