// SPDX-License-Identifier: Apache-2.0
import { Fragment } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import type { Api } from "../api";
import { useLive } from "../hooks/use-live";
import { useMessages } from "../hooks/use-messages";
import { useNow } from "../hooks/use-now";
import { t } from "../strings";
import { ledgerMark, overallTone } from "../verdict";
import { Bytes } from "./bytes";
import { Header } from "./header";
import { Link } from "./link";
import { Messages } from "./messages";
import { Queue } from "./queue";
import { Quota } from "./quota";
import { SendForm } from "./send-form";
import { Verdict } from "./verdict";
import { Way } from "./way";

interface OverviewProps {
  api: Api;
  onSignOut(): void;
  onSessionEnd(): void;
}

/** The page of somebody who is signed in. */
export function Overview({ api, onSignOut, onSessionEnd }: OverviewProps) {
  const { view, refresh, hurry } = useLive(api, onSessionEnd);
  const { status, phase } = view;
  // Ages grow between two pushes, but not while nobody knows what the gateway does.
  const now = Math.max(useNow(phase === "open"), view.receivedAt);
  const elapsedS = (now - view.receivedAt) / 1000;
  const messages = useMessages(api, status && ledgerMark(status));
  const [sentId, setSentId] = useState<string | null>(null);

  const setPaused = useCallback(
    async (className: string, paused: boolean) => {
      await api.setPaused(className, paused);
      refresh();
    },
    [api],
  );
  const send = useCallback(
    async (message: Parameters<Api["send"]>[0]) => {
      const { id } = await api.send(message);
      setSentId(String(id));
      refresh();
      return String(id);
    },
    [api],
  );

  const tone = overallTone(status, phase);
  useEffect(() => {
    document.title = [tone === "bad" ? "⚠" : "", status?.name ?? "", t.product].filter(Boolean).join(" · ");
  }, [tone, status?.name]);

  return (
    <>
      <Header name={status?.name ?? ""} phase={phase} onSignOut={onSignOut} />
      <main class={`page ${phase === "open" ? "" : "stale"}`} id="figures" tabIndex={-1}>
        <Verdict live={view} onRetry={hurry} />
        {status && (
          <div class="cards">
            <Way status={status} elapsedS={elapsedS} />
            {status.links.map((link) => (
              <Fragment key={link.name}>
                <Quota link={link} />
                <Link link={link} history={view.histories.get(link.name)} elapsedS={elapsedS} now={now} />
              </Fragment>
            ))}
            <Queue status={status} elapsedS={elapsedS} setPaused={setPaused} />
            {status.links.map((link) => (
              <Bytes key={link.name} link={link} />
            ))}
            <Messages messages={messages} clockTrusted={status.clock.trusted} ownId={sentId} />
            <SendForm
              classes={status.classes}
              send={send}
              sentId={sentId}
              sent={messages?.find((message) => String(message.id) === sentId) ?? null}
            />
          </div>
        )}
      </main>
    </>
  );
}
