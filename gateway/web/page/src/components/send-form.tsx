// SPDX-License-Identifier: Apache-2.0
import { useId, useState } from "preact/hooks";
import type { ClassStatus, Message } from "../api";
import { problemText } from "../problem";
import { t } from "../strings";
import { kEmergencyIndex } from "../verdict";
import { Card } from "./card";
import { Progress } from "./progress";

interface SendProps {
  classes: ClassStatus[];
  send(message: { topic: string; payload: string; class: string }): Promise<string>;
  /** The message that this form sent last, by its id; `sent` is null until it is in the list. */
  sentId: string | null;
  sent: Message | null;
}

const kDefaultTopic = "tulpar/test";

/** Sends a message of one's own, to see the whole way work. */
export function SendForm({ classes, send, sentId, sent }: SendProps) {
  const text = t.send;
  const id = useId();
  const [topic, setTopic] = useState(kDefaultTopic);
  const [payload, setPayload] = useState(text.textDefault);
  const [chosen, setChosen] = useState(
    classes.some((one) => one.name === "message") ? "message" : (classes[0]?.name ?? ""),
  );
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (!topic.trim() || /[+#]/.test(topic)) return setProblem(text.topicNeeded);
    setBusy(true);
    try {
      await send({ topic: topic.trim(), payload, class: chosen });
      setProblem(null);
    } catch (error) {
      setProblem(problemText(error));
    }
    setBusy(false);
  };

  return (
    <Card title={text.heading} class="send">
      <form onSubmit={submit} noValidate>
        <label for={`${id}-topic`}>{text.topic}</label>
        <input
          id={`${id}-topic`}
          value={topic}
          onInput={(event) => setTopic(event.currentTarget.value)}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
        />
        <label for={`${id}-text`}>{text.text}</label>
        <textarea
          id={`${id}-text`}
          rows={3}
          value={payload}
          onInput={(event) => setPayload(event.currentTarget.value)}
        />
        <label for={`${id}-class`}>{text.class}</label>
        <div class="send-end">
          <select id={`${id}-class`} value={chosen} onChange={(event) => setChosen(event.currentTarget.value)}>
            {classes.map((one) => (
              <option key={one.name} value={one.name}>
                {t.classes[one.name]?.name ?? one.name}
              </option>
            ))}
          </select>
          <button type="submit" class="button primary" disabled={busy}>
            {busy ? text.sending : text.submit}
          </button>
        </div>
        {chosen === classes[kEmergencyIndex]?.name && <p class="hint warn">{text.emergency}</p>}
      </form>
      <div class="outcome" role="status">
        {problem ? (
          <p class="problem">{problem}</p>
        ) : (
          <p class="hint">{sentId ? text.accepted(sentId) : text.intro}</p>
        )}
        <Progress sent={sentId !== null} message={sent} />
      </div>
    </Card>
  );
}
