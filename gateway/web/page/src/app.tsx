// SPDX-License-Identifier: Apache-2.0
import { useState } from "preact/hooks";
import { Api } from "./api";
import { Overview } from "./components/overview";
import { SignIn } from "./components/sign-in";
import { useSession } from "./hooks/use-session";

export function App() {
  const [api] = useState(() => new Api());
  const { view, check, signIn, signOut, ended } = useSession(api);
  if (view.state === "checking") return null;
  if (view.state === "in") return <Overview api={api} onSignOut={signOut} onSessionEnd={ended} />;
  return (
    <SignIn notice={view.notice} unreachable={view.unreachable} signIn={signIn} retry={() => void check()} />
  );
}
