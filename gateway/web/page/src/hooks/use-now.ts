// SPDX-License-Identifier: Apache-2.0
import { useEffect, useState } from "preact/hooks";

/** `performance.now()`, renewed every `everyMs` while `running`; the last value afterwards. */
export function useNow(running: boolean, everyMs = 1000): number {
  const [now, setNow] = useState(() => performance.now());
  useEffect(() => {
    if (!running) return;
    setNow(performance.now());
    const timer = setInterval(() => setNow(performance.now()), everyMs);
    return () => clearInterval(timer);
  }, [running, everyMs]);
  return now;
}
