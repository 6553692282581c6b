// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from "preact/hooks";
import type { Api, Status } from "../api";
import { History } from "../history";
import { Live, browserEdge } from "../live";
import type { Phase } from "../reconnect";

export interface LiveView {
  status: Status | null;
  /** When `status` came: on `performance.now()`'s clock, and as a time of day. */
  receivedAt: number;
  receivedTime: Date;
  phase: Phase;
  retryAt: number;
  /** Throughput since the page was opened, by the link's name. */
  histories: ReadonlyMap<string, History>;
}

const totalsOf = (link: Status["links"][number], at: number) => ({
  at,
  up: link.wire_up,
  down: link.wire_down,
});

/** The live status of the gateway for as long as the component is shown. */
export function useLive(api: Api, onSignedOut: () => void) {
  const [view, setView] = useState<LiveView>(() => ({
    status: null,
    receivedAt: 0,
    receivedTime: new Date(0),
    phase: "connecting",
    retryAt: 0,
    histories: new Map(),
  }));
  const live = useRef<Live | null>(null);

  useEffect(() => {
    const histories = new Map<string, History>();
    const feed = new Live(browserEdge(api), {
      onStatus(status) {
        const receivedAt = performance.now();
        for (const link of status.links) {
          let history = histories.get(link.name);
          if (!history) histories.set(link.name, (history = new History()));
          history.add(totalsOf(link, receivedAt));
        }
        setView((old) => ({ ...old, status, receivedAt, receivedTime: new Date(), histories }));
      },
      onPhase: (phase, retryAt) =>
        setView((old) => (old.phase === phase && phase !== "waiting" ? old : { ...old, phase, retryAt })),
      onSignedOut,
    });
    live.current = feed;
    feed.start();
    const hurry = () => document.visibilityState === "visible" && feed.hurry();
    document.addEventListener("visibilitychange", hurry);
    window.addEventListener("online", hurry);
    return () => {
      document.removeEventListener("visibilitychange", hurry);
      window.removeEventListener("online", hurry);
      feed.stop();
    };
  }, [api, onSignedOut]);

  return { view, refresh: () => live.current?.refresh(), hurry: () => live.current?.hurry() };
}
