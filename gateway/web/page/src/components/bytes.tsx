// SPDX-License-Identifier: Apache-2.0
import type { LinkStatus } from "../api";
import * as format from "../format";
import { t } from "../strings";
import { Card } from "./card";

/** The same traffic counted four times: as nodes sent it, as it was packed, and as the provider sees it. */
export function Bytes({ link }: { link: LinkStatus }) {
  const text = t.bytes;
  const levels = [
    { key: "payload", name: text.payload, hint: text.payloadHint, total: link.payload_up },
    { key: "frames", name: text.frames, hint: text.framesHint, total: link.frame_up },
    { key: "up", name: text.wireUp, hint: text.wireUpHint, total: link.wire_up, today: link.wire_up_today },
    {
      key: "down",
      name: text.wireDown,
      hint: text.wireDownHint,
      total: link.wire_down,
      today: link.wire_down_today,
    },
  ];
  const most = Math.max(1, ...levels.map((level) => level.total ?? 0));
  const ratio = link.payload_up > 0 ? link.wire_up / link.payload_up : null;
  return (
    <Card title={text.heading} class="bytes">
      {ratio !== null && (
        <p class="saving">
          <strong>{format.percent(Math.abs(1 - ratio))}</strong>
          <span>{ratio <= 1 ? text.saved : text.spent}</span>
        </p>
      )}
      <table class="levels">
        <thead>
          <tr>
            <td />
            <th scope="col">{text.today}</th>
            <th scope="col">{text.total}</th>
          </tr>
        </thead>
        {levels.map((level) => (
          <tbody key={level.key}>
            <tr>
              <th scope="row">{level.name}</th>
              <td class="muted">{level.today === undefined ? "" : format.bytes(level.today)}</td>
              <td class="strong">{format.bytes(level.total)}</td>
            </tr>
            <tr aria-hidden="true">
              <td colSpan={3}>
                <svg class="bar" viewBox="0 0 1000 10" preserveAspectRatio="none">
                  <rect class="bar-track" width="1000" height="10" />
                  <rect
                    class={`part level-${level.key}`}
                    width={((level.total ?? 0) / most) * 1000}
                    height="10"
                  />
                </svg>
                <span class="level-hint">{level.hint}</span>
              </td>
            </tr>
          </tbody>
        ))}
      </table>
    </Card>
  );
}
