// SPDX-License-Identifier: Apache-2.0
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Tone } from "../verdict";

interface CardProps {
  title: string;
  /** Stands at the title's right: a state, a figure. */
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

/** A titled part of the page. */
export function Card({ title, aside, class: className = "", children }: CardProps) {
  const id = useId();
  return (
    <section class={`card ${className}`} aria-labelledby={id}>
      <header class="card-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** A state in a word: the dot's colour repeats what the word says. */
export function Chip({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`chip tone-${tone}`}>
      <span class="dot" />
      {children}
    </span>
  );
}

/** A name and its figure. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
