// SPDX-License-Identifier: Apache-2.0
import type { Ledger, Status } from "../api";
import * as format from "../format";
import { t } from "../strings";
import { balanced } from "../verdict";

const kParts = ["delivered", "conflated", "expired", "dropped", "queued"] as const;

/** Accepted = delivered + replaced + expired + dropped + waiting: nothing leaves silently. */
export function Books({ status }: { status: Status }) {
  const text = t.books;
  const { ledger } = status;
  const even = balanced(status);
  return (
    <section class="books">
      <h3 class={even ? "" : "tone-bad tone-text"}>{even ? text.heading : text.unbalanced}</h3>
      <p class="hint">{text.sum(format.count(ledger.accepted))}</p>
      <Bar ledger={ledger} />
      <ul>
        {kParts.map((part) => (
          <li key={part}>
            <span class={`key ${part}`} />
            <strong>{format.count(ledger[part])}</strong> {text[part]}
          </li>
        ))}
      </ul>
      {ledger.duplicates > 0 && <p class="hint">{text.duplicates(format.count(ledger.duplicates))}</p>}
    </section>
  );
}

// Of 1000; a part that exists at all stays visible.
const kLeastWidth = 6;

function Bar({ ledger }: { ledger: Ledger }) {
  const total = Math.max(1, ledger.accepted);
  let x = 0;
  return (
    <svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="bar-track" width="1000" height="10" />
      {kParts.map((part) => {
        if (!ledger[part]) return null;
        const width = Math.max(kLeastWidth, (ledger[part] / total) * 1000);
        const at = Math.min(x, 1000 - kLeastWidth);
        x += width;
        return <rect key={part} class={`part ${part}`} x={at} width={width} height="10" />;
      })}
    </svg>
  );
}
