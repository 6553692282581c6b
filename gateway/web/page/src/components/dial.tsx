// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from "preact";
import { type Shares, angle, arc, point } from "../dial";
import type { Tone } from "../verdict";

const kRadius = 84;
// Between two parts, as a part of the dial, so that they are told apart without relying on colour.
const kGap = 0.006;

interface DialProps {
  /** Null: nothing is limited, the dial is an empty ring. */
  parts: Shares | null;
  tone: Tone;
  label: string;
  /** What stands in the middle. */
  children: ComponentChildren;
}

export function Dial({ parts, tone, label, children }: DialProps) {
  return (
    <div class={`dial tone-${tone}`} role="img" aria-label={label}>
      <svg viewBox="-100 -100 200 178" aria-hidden="true">
        <path class={parts ? "dial-track" : "dial-track open"} d={arc(kRadius, 0, 1)} />
        {parts && parts.reserve > kGap && (
          <path class="dial-reserve" d={arc(kRadius, 1 - parts.reserve + kGap, 1)} />
        )}
        {parts && parts.used > 0 && <path class="dial-used" d={arc(kRadius, 0, Math.max(0.002, parts.used))} />}
        {parts?.forecast != null && <Forecast part={parts.forecast} />}
      </svg>
      <div class="dial-middle" aria-hidden="true">
        {children}
      </div>
    </div>
  );
}

/** A mark outside the ring where the cycle is expected to end. */
function Forecast({ part }: { part: number }) {
  const [x0, y0] = point(kRadius - 9, angle(part));
  const [x1, y1] = point(kRadius + 14, angle(part));
  return <path class="dial-forecast" d={`M${x0} ${y0}L${x1} ${y1}`} />;
}
