// SPDX-License-Identifier: Apache-2.0
import { useEffect, useRef, useState } from "preact/hooks";
import type { Api, Message } from "../api";

export const kMessageLimit = 50;
// A busy mesh changes the books many times a second; the list need not.
const kEveryMs = 1500;

/** The last messages, asked for again whenever `mark` (see `ledgerMark`) changes. Null until the first answer. */
export function useMessages(api: Api, mark: string | null): Message[] | null {
  const [messages, setMessages] = useState<Message[] | null>(null);
  const asked = useRef({ at: -kEveryMs, number: 0, shown: 0 });

  useEffect(() => {
    if (mark === null) return;
    const state = asked.current;
    const wait = Math.max(0, state.at + kEveryMs - performance.now());
    const timer = setTimeout(async () => {
      state.at = performance.now();
      const number = ++state.number;
      try {
        const answer = await api.messages(kMessageLimit);
        // Answers may overtake each other; an older one brings nothing new.
        if (number > state.shown) setMessages(answer);
        state.shown = Math.max(state.shown, number);
      } catch {
        // A failure shows itself on the live feed; the old list stays.
      }
    }, wait);
    return () => clearTimeout(timer);
  }, [api, mark]);

  return messages;
}
