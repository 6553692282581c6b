// SPDX-License-Identifier: Apache-2.0
import { useState } from "preact/hooks";
import type { ClassStatus, Status } from "../api";
import * as format from "../format";
import { t } from "../strings";
import { problemText } from "../problem";
import { kEmergencyIndex } from "../verdict";
import { Books } from "./books";
import { Card } from "./card";
import { PauseIcon, PlayIcon } from "./icons";

interface QueueProps {
  status: Status;
  /** Seconds since the figures came. */
  elapsedS: number;
  setPaused(className: string, paused: boolean): Promise<void>;
}

/** What waits, by class; and where everything that was ever accepted is. */
export function Queue({ status, elapsedS, setPaused }: QueueProps) {
  const text = t.queue;
  const [problem, setProblem] = useState<string | null>(null);
  const change = async (className: string, paused: boolean) => {
    try {
      await setPaused(className, paused);
      setProblem(null);
    } catch (error) {
      setProblem(problemText(error));
    }
  };
  return (
    <Card title={text.heading} class="queue">
      <table class="grid">
        <caption class="sr-only">{text.caption}</caption>
        <thead>
          <tr>
            <th scope="col">{text.class}</th>
            <th scope="col" class="number">
              {text.waiting}
            </th>
            <th scope="col" class="number wide">
              {text.size}
            </th>
            <th scope="col" class="number wide">
              {text.oldest}
            </th>
            <th scope="col" class="number wide">
              {text.delivered}
            </th>
            <th scope="col" class="action">
              <span class="sr-only">{text.action}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {status.classes.map((one, index) => (
            <Row
              key={one.name}
              one={one}
              emergency={index === kEmergencyIndex}
              elapsedS={elapsedS}
              change={change}
            />
          ))}
        </tbody>
      </table>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <Books status={status} />
    </Card>
  );
}

interface RowProps {
  one: ClassStatus;
  emergency: boolean;
  elapsedS: number;
  change(className: string, paused: boolean): Promise<void>;
}

function Row({ one, emergency, elapsedS, change }: RowProps) {
  const words = t.classes[one.name];
  const name = words?.name ?? one.name;
  const urgent = emergency && one.queued > 0;
  const oldest = one.queued === 0 || one.oldest_s == null ? null : one.oldest_s + elapsedS;
  return (
    <tr class={`${urgent ? "urgent" : ""} ${one.paused ? "paused" : ""} ${one.queued ? "" : "empty"}`}>
      <th scope="row">
        <span class="class-name">{name}</span>
        <span class="class-hint" title={one.hold_reason ?? undefined}>
          {hint(one) ?? words?.hint ?? ""}
        </span>
      </th>
      <td class="number strong">
        {format.count(one.queued)}
        {one.queued > 0 && (
          <span class="narrow queue-more">
            {format.bytes(one.queued_bytes)}, {format.duration(oldest)}
          </span>
        )}
      </td>
      <td class="number wide">{one.queued ? format.bytes(one.queued_bytes) : t.unknown}</td>
      <td class="number wide">{format.duration(oldest)}</td>
      <td class="number wide">{format.count(one.delivered)}</td>
      <td class="action">
        {emergency ? (
          <span class="always">{t.queue.always}</span>
        ) : (
          <PauseButton name={name} paused={one.paused} onClick={() => change(one.name, !one.paused)} />
        )}
      </td>
    </tr>
  );
}

/** Why nothing of the class goes now, or that something does. */
function hint(one: ClassStatus): string | null {
  if (one.paused) return t.queue.paused;
  if (one.queued && one.hold_reason) return one.hold_reason;
  return one.bytes_in_flight ? t.queue.inFlight(format.bytes(one.bytes_in_flight)) : null;
}

function PauseButton({ name, paused, onClick }: { name: string; paused: boolean; onClick(): Promise<void> }) {
  const [busy, setBusy] = useState(false);
  const text = t.queue;
  const click = async () => {
    setBusy(true);
    await onClick();
    setBusy(false);
  };
  return (
    <button
      type="button"
      class={`button small ${paused ? "primary" : ""}`}
      aria-label={paused ? text.resumeClass(name) : text.pauseClass(name)}
      disabled={busy}
      onClick={click}
    >
      {paused ? <PlayIcon /> : <PauseIcon />}
      <span class="wide">{paused ? text.resume : text.pause}</span>
    </button>
  );
}
