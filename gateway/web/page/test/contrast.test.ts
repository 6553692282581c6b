// SPDX-License-Identifier: Apache-2.0
//
// The colours of both themes against WCAG 2.2: 4.5 : 1 for text, 3 : 1 for what is drawn to be understood.
import { describe, expect, it } from "vitest";
import css from "../src/styles/tokens.css?raw";

const [lightCss, darkCss] = css.split("@media (prefers-color-scheme: dark)") as [string, string];

function tokens(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/--([\w-]+): (#[0-9a-f]{6});/g)].map((match) => [match[1], match[2]]),
  );
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const light = tokens(lightCss);
const themes = { light, dark: { ...light, ...tokens(darkCss) } };

describe.each(Object.entries(themes))("%s theme", (_, theme) => {
  it.each([
    ...["text", "muted", "accent", "warn", "bad"].flatMap((text) => [
      [text, "surface"],
      [text, "ground"],
    ]),
    ["on-accent", "accent"],
    ["good", "good-soft"],
    ["warn", "warn-soft"],
    ["bad", "bad-soft"],
  ])("%s is readable on %s", (text, ground) => {
    expect(contrast(theme[text!]!, theme[ground!]!)).toBeGreaterThanOrEqual(4.5);
  });
  it.each(["accent", "gold", "slate", "good", "down"])("%s is seen on a card", (colour) => {
    expect(contrast(theme[colour]!, theme.surface!)).toBeGreaterThanOrEqual(3);
  });
});
