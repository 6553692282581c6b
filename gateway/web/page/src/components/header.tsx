// SPDX-License-Identifier: Apache-2.0
import type { Phase } from "../reconnect";
import { t } from "../strings";
import { Chip } from "./card";
import { Mark, SignOutIcon } from "./icons";

interface HeaderProps {
  name: string;
  phase: Phase;
  onSignOut(): void;
}

export function Header({ name, phase, onSignOut }: HeaderProps) {
  const text = t.header;
  return (
    <header class="top-bar">
      <a class="skip" href="#figures">
        {text.skip}
      </a>
      <div class="top">
        <span class="brand">
          <Mark />
          <strong>{t.product}</strong>
        </span>
        <span class="gateway-name" title={name}>
          {name}
        </span>
        <span class="top-end">
          {phase === "open" && <Chip tone="good">{text.live}</Chip>}
          {phase === "connecting" && <Chip tone="warn">{text.connecting}</Chip>}
          {phase === "waiting" && <Chip tone="bad">{text.lost}</Chip>}
          <button type="button" class="button quiet" onClick={onSignOut} title={text.signOut}>
            <SignOutIcon />
            <span class="wide">{text.signOut}</span>
            <span class="narrow sr-only">{text.signOut}</span>
          </button>
        </span>
      </div>
    </header>
  );
}
