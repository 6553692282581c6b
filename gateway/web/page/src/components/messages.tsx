// SPDX-License-Identifier: Apache-2.0
import { useState } from "preact/hooks";
import type { Message } from "../api";
import * as format from "../format";
import { messageTone, stateDetail } from "../message";
import { t } from "../strings";
import { Card, Chip } from "./card";

// As many as stand beside the form without scrolling; the rest is a click away.
const kShownFirst = 7;

interface MessagesProps {
  messages: Message[] | null;
  clockTrusted: boolean;
  /** Sent from this page; marked so that one finds it. */
  ownId: string | null;
}

/** The last messages and what became of each. */
export function Messages({ messages, clockTrusted, ownId }: MessagesProps) {
  const text = t.messages;
  const [all, setAll] = useState(false);
  const shown = messages?.slice(0, all ? undefined : kShownFirst) ?? [];
  const hidden = (messages?.length ?? 0) - kShownFirst;
  const columns = ["time", "what", "state", "size"] as const;
  // The roles repeat what the tags say: on a narrow screen the rows become grids, and browsers then forget the tags.
  return (
    <Card title={text.heading} class="messages">
      <table class="log" role="table">
        <caption class="sr-only">{text.caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => (
              <th key={column} scope="col" role="columnheader" class={`col-${column}`}>
                {text[column]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {/* Without keys: the rows stay where they are and change their words, so nothing under a finger moves. */}
          {shown.map((message) => (
            <Row message={message} clockTrusted={clockTrusted} own={String(message.id) === ownId} />
          ))}
        </tbody>
      </table>
      {messages?.length === 0 && <p class="hint">{text.none}</p>}
      {hidden > 0 && (
        <button type="button" class="button quiet more" onClick={() => setAll(!all)}>
          {all ? text.fewer : text.more(format.count(hidden))}
        </button>
      )}
    </Card>
  );
}

function Row({ message, clockTrusted, own }: { message: Message; clockTrusted: boolean; own: boolean }) {
  const accepted = clockTrusted ? format.toDate(message.accepted_at) : null;
  const emergency = message.class === "emergency";
  return (
    <tr role="row" class={`${own ? "own" : ""} ${emergency ? "urgent" : ""}`}>
      <td role="cell" class="col-time" title={accepted ? format.fullTime(accepted) : undefined}>
        {accepted ? format.shortTime(accepted, new Date()) : format.ago(message.age_s)}
      </td>
      <td role="cell" class="col-what">
        <span class="topic" title={message.topic}>
          {message.topic}
        </span>
        <span class="origin">
          <span class="class-of">{t.classes[message.class]?.name ?? message.class}</span>
          {message.node && <span title={message.node}>{message.node}</span>}
        </span>
      </td>
      <td role="cell" class="col-state">
        <MessageState message={message} />
      </td>
      <td role="cell" class="col-size">
        {format.bytes(message.bytes)}
        {message.wire_bytes != null && (
          <span class="wire-size">{t.messages.onWire(format.bytes(message.wire_bytes))}</span>
        )}
      </td>
    </tr>
  );
}

/** The state in a word, with the reason or how long the delivery took. */
function MessageState({ message }: { message: Message }) {
  const detail = stateDetail(message);
  return (
    <Chip tone={messageTone(message.state)}>
      {t.messages.states[message.state] ?? message.state}
      {detail && <span class="state-more">{detail}</span>}
    </Chip>
  );
}
