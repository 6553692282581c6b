// SPDX-License-Identifier: Apache-2.0
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { ApiError, type Credentials } from "../api";
import * as format from "../format";
import { useNow } from "../hooks/use-now";
import { problemText } from "../problem";
import { t } from "../strings";
import { Mark } from "./icons";

interface SignInProps {
  /** Why one is here: signed out, a used link, no answer. */
  notice: string | null;
  unreachable: boolean;
  signIn(credentials: Credentials): Promise<void>;
  /** Asks again whether the gateway is there. */
  retry(): void;
}

// Where the server says "too many tries" but not until when.
const kDefaultWaitS = 30;

export function SignIn({ notice, unreachable, signIn, retry }: SignInProps) {
  const text = t.signIn;
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [password, setPassword] = useState("");
  const [shown, setShown] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [blockedUntil, setBlockedUntil] = useState(0);
  const now = useNow(blockedUntil > 0);
  const blockedS = Math.ceil((blockedUntil - now) / 1000);

  useEffect(() => field.current?.focus(), []);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (!password || busy || blockedS > 0) return;
    setBusy(true);
    try {
      await signIn({ password });
      return;
    } catch (error) {
      const status = error instanceof ApiError ? error.status : 0;
      if (status === 429) {
        const wait = (error as ApiError).retryAfterS || kDefaultWaitS;
        setBlockedUntil(performance.now() + wait * 1000);
      }
      setProblem(status === 401 ? text.wrong : status === 429 ? null : problemText(error));
    }
    setBusy(false);
    field.current?.select();
    field.current?.focus();
  };

  const message = blockedS > 0 ? text.wait(format.duration(blockedS)) : (problem ?? notice);
  return (
    <main class="sign-in">
      <form onSubmit={submit}>
        <span class="sign-in-mark">
          <Mark size={44} />
        </span>
        <h1>{t.product}</h1>
        <p class="hint">{text.intro}</p>
        {/* For password managers: they file a password under a name. */}
        <input
          class="sr-only"
          type="text"
          autocomplete="username"
          value="operator"
          readOnly
          tabIndex={-1}
          aria-hidden
        />
        <label for={`${id}-password`}>{text.password}</label>
        <div class="password">
          <input
            id={`${id}-password`}
            ref={field}
            type={shown ? "text" : "password"}
            autocomplete="current-password"
            value={password}
            onInput={(event) => setPassword(event.currentTarget.value)}
            aria-describedby={`${id}-message`}
            aria-invalid={problem !== null}
          />
          <button
            type="button"
            class="button quiet"
            aria-pressed={shown}
            aria-label={text.showLabel}
            onClick={() => setShown(!shown)}
          >
            {shown ? text.hide : text.show}
          </button>
        </div>
        <p id={`${id}-message`} class="problem" role="alert">
          {message}
        </p>
        {unreachable ? (
          <button type="button" class="button primary big" onClick={retry}>
            {t.verdict.retryNow}
          </button>
        ) : (
          <button type="submit" class="button primary big" disabled={busy || blockedS > 0}>
            {busy ? text.busy : text.submit}
          </button>
        )}
        <p class="hint forgotten">
          {text.forgotten} <code>{text.command}</code>
        </p>
      </form>
    </main>
  );
}
