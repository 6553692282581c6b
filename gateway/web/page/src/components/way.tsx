// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from "preact";
import type { LinkStatus, Status } from "../api";
import * as format from "../format";
import { t } from "../strings";
import { type Tone, linkTone } from "../verdict";
import { MeshIcon, RelayIcon, DishIcon, StoreIcon } from "./icons";

interface StationProps {
  icon: ComponentChildren;
  name: string;
  tone: Tone;
  state: string;
  more: string;
  /** Something moves from here to the next station. */
  flows?: boolean;
}

function Station({ icon, name, tone, state, more, flows = false }: StationProps) {
  return (
    <li class={`station tone-${tone} ${flows ? "flows" : ""}`}>
      <span class="station-icon">{icon}</span>
      <span class="station-words">
        <span class="station-name">{name}</span>
        <strong>{state}</strong>
        <span class="station-more">{more}</span>
      </span>
    </li>
  );
}

/** Mesh, store, link, relay: where a message is on its way, and where it stands still if it does. */
export function Way({ status, elapsedS }: { status: Status; elapsedS: number }) {
  const text = t.way;
  const { mesh, store, ledger, links } = status;
  const last = status.last_delivered_s;
  const storeWords = ledger.queued ? text.waiting(format.count(ledger.queued)) : text.nothingWaiting;
  return (
    <section class="card way" aria-label={text.heading}>
      <ol>
        <Station
          icon={<MeshIcon />}
          name={text.mesh}
          tone={mesh.connected ? (mesh.durable ? "good" : "warn") : "bad"}
          state={mesh.connected ? text.connected : text.disconnected}
          more={text.perMinute(format.count(mesh.accepted_last_minute))}
          flows={mesh.connected && (mesh.accepted_last_minute ?? 0) > 0}
        />
        <Station
          icon={<StoreIcon />}
          name={text.store}
          tone={store?.ok === false ? "bad" : "good"}
          state={store?.ok === false ? text.storeFailed : storeWords}
          more={store ? storeMore(store) : ""}
          flows={links.some((link) => link.inflight_bytes > 0)}
        />
        {links.map((link) => (
          <LinkStation key={link.name} link={link} />
        ))}
        <Station
          icon={<RelayIcon />}
          name={text.far}
          tone={last == null ? "idle" : "good"}
          state={text.delivered(format.count(ledger.delivered))}
          more={last == null ? text.never : text.last(format.ago(last + elapsedS))}
        />
      </ol>
      {mesh.note && <p class="way-note">{mesh.note}</p>}
      {store?.note && <p class="way-note">{store.note}</p>}
    </section>
  );
}

function storeMore(store: NonNullable<Status["store"]>): string {
  const full = t.way.storeFull(format.percent(store.bytes / store.max_bytes));
  // What wears a memory card out; not every kernel counts it.
  if (store.written_today == null) return full;
  return `${full} · ${t.way.writtenToday(format.bytes(store.written_today))}`;
}

function LinkStation({ link }: { link: LinkStatus }) {
  const since = link.up_since_s == null ? "" : ` ${t.forTime(format.duration(link.up_since_s))}`;
  return (
    <Station
      icon={<DishIcon />}
      name={t.link.heading(link.name)}
      tone={linkTone(link)}
      state={`${t.link.states[link.state] ?? link.state}${since}`}
      more={`${format.roundRate(link.rate_bps)}, ${format.delay(link.rtt_ms)}`}
      flows={link.inflight_bytes > 0}
    />
  );
}
