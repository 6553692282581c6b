// SPDX-License-Identifier: Apache-2.0
import type { LinkStatus } from "../api";
import * as format from "../format";
import type { History } from "../history";
import { t } from "../strings";
import { linkTone } from "../verdict";
import { Card, Chip, Fact } from "./card";
import { Throughput } from "./throughput";

interface LinkProps {
  link: LinkStatus;
  history: History | undefined;
  /** Seconds since the figures came. */
  elapsedS: number;
  now: number;
}

/** One link: its state, how fast and how far away it is, and what goes over it. */
export function Link({ link, history, elapsedS, now }: LinkProps) {
  const text = t.link;
  const contact = link.last_contact_s == null ? null : link.last_contact_s + elapsedS;
  return (
    <Card
      title={text.heading(link.name)}
      class="link"
      aside={
        <span class="card-aside">
          <span class="muted">{link.transport.toUpperCase()}</span>
          <Chip tone={linkTone(link)}>{text.states[link.state] ?? link.state}</Chip>
        </span>
      }
    >
      <dl class="facts six">
        <Fact name={text.upRate}>{format.roundRate(link.rate_bps)}</Fact>
        <Fact name={text.downRate}>{format.roundRate(link.rate_down_bps)}</Fact>
        <Fact name={text.delay}>{format.delay(link.rtt_ms)}</Fact>
        <Fact name={text.contact}>{format.ago(contact)}</Fact>
        <Fact name={text.flight}>{format.bytes(link.inflight_bytes)}</Fact>
        <Fact name={text.sessions}>{format.count(link.session_opens)}</Fact>
      </dl>
      {history && <Throughput history={history} now={now} />}
    </Card>
  );
}
