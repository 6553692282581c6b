// SPDX-License-Identifier: Apache-2.0
import { useCallback, useEffect, useState } from "preact/hooks";
import { type Api, ApiError, type Credentials, type Session } from "../api";
import { t } from "../strings";

export type SessionView =
  | { state: "checking" }
  | { state: "out"; notice: string | null; unreachable: boolean }
  | { state: "in"; session: Session };

/** Takes the one-time code out of the address, so that it stays in no history, bookmark or shared screen. */
function takeCode(): string | null {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  if (!code) return null;
  history.replaceState(null, "", location.pathname + location.search);
  return code;
}

/** Who is signed in, and the ways in and out. */
export function useSession(api: Api) {
  const [view, setView] = useState<SessionView>({ state: "checking" });

  const check = useCallback(
    async (notice: string | null = null) => {
      try {
        const session = await api.session();
        setView(session ? { state: "in", session } : { state: "out", notice, unreachable: false });
      } catch {
        setView({ state: "out", notice: t.errors.unreachable, unreachable: true });
      }
    },
    [api],
  );

  const signIn = useCallback(
    async (credentials: Credentials) => {
      await api.signIn(credentials);
      await check();
    },
    [api, check],
  );

  useEffect(() => {
    const start = async () => {
      const code = takeCode();
      if (!code) return check();
      try {
        await signIn({ code });
      } catch (error) {
        const refused = error instanceof ApiError && error.status > 0;
        // Somebody who is signed in already and opens a used link need not hear about it.
        await check(refused ? t.signIn.code : t.errors.unreachable);
      }
    };
    void start();
    // A link with a code that is opened in this very tab changes only the fragment.
    const onHash = () => location.hash.includes("code=") && void start();
    window.addEventListener("hashchange", onHash);
    return () => window.removeEventListener("hashchange", onHash);
  }, [check, signIn]);

  const signOut = useCallback(async () => {
    try {
      await api.signOut();
    } catch (error) {
      // 401: the session was over already. Anything else means that the cookie may still be valid: say so by staying.
      if (!(error instanceof ApiError) || error.status !== 401) return check();
    }
    setView({ state: "out", notice: null, unreachable: false });
  }, [api, check]);

  const ended = useCallback(() => setView({ state: "out", notice: t.signIn.ended, unreachable: false }), []);
  useEffect(() => {
    api.onSignedOut = ended;
  }, [api, ended]);

  return { view, check, signIn, signOut, ended };
}
