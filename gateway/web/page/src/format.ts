// SPDX-License-Identifier: Apache-2.0
//
// Numbers, sizes, durations and times as text. Pure. A null or undefined is written as the catalogue's "not known".
import type { Instant } from "./api";
import { t } from "./strings";

type Maybe = number | null | undefined;

// Joins number and unit: a line never breaks between them.
const kNoBreak = "\u00a0";

const integers = new Intl.NumberFormat(t.locale, { maximumFractionDigits: 0 });

export function count(value: Maybe): string {
  return value == null ? t.unknown : integers.format(value);
}

/** Three significant figures: 1.23, 12.3, 123. Without `steady`, zeros at the end are left out: 50, not 50.0. */
function scaled(value: Maybe, units: readonly string[], steady: boolean): string {
  if (value == null || !Number.isFinite(value)) return t.unknown;
  let size = Math.abs(value);
  let unit = 0;
  // 999.5 would be written as 1,000 of the smaller unit.
  while (size >= 999.5 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  const digits = unit === 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  const text = size.toLocaleString(t.locale, {
    minimumFractionDigits: steady ? digits : 0,
    maximumFractionDigits: digits,
  });
  return `${value < 0 && size > 0 ? "−" : ""}${text}${kNoBreak}${units[unit]}`;
}

/** Decimal units, as providers bill: 1 kB is 1000 bytes. For figures that change: they keep their width. */
export const bytes = (value: Maybe): string => scaled(value, t.units.bytes, true);
export const rate = (bitsPerSecond: Maybe): string => scaled(bitsPerSecond, t.units.rates, true);
/** For figures that somebody chose, and for scales: 50 MB, 9.6 kbit/s. */
export const roundBytes = (value: Maybe): string => scaled(value, t.units.bytes, false);
export const roundRate = (bitsPerSecond: Maybe): string => scaled(bitsPerSecond, t.units.rates, false);

/** The two largest units that matter: 45 s, 3 min, 2 h 05 min, 3 d 4 h. */
export function duration(seconds: Maybe): string {
  if (seconds == null || !Number.isFinite(seconds)) return t.unknown;
  const s = Math.max(0, Math.floor(seconds));
  const { units } = t;
  const join = (value: number | string, unit: string) => `${value}${kNoBreak}${unit}`;
  if (s < 60) return join(s, units.s);
  if (s < 3600) return join(Math.floor(s / 60), units.min);
  const hours = Math.floor(s / 3600);
  if (hours < 24) {
    const minutes = Math.floor(s / 60) % 60;
    return join(hours, units.h) + (minutes ? kNoBreak + join(String(minutes).padStart(2, "0"), units.min) : "");
  }
  const restHours = hours % 24;
  const days = Math.floor(hours / 24);
  return join(days, units.d) + (days < 7 && restHours ? kNoBreak + join(restHours, units.h) : "");
}

/** Below a second in milliseconds, else seconds with one decimal: 620 ms, 1.4 s. */
export function delay(ms: Maybe): string {
  if (ms == null || !Number.isFinite(ms)) return t.unknown;
  if (ms < 1000) return `${Math.round(ms)}${kNoBreak}${t.units.ms}`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)}${kNoBreak}${t.units.s}`;
  return duration(ms / 1000);
}

export function ago(seconds: Maybe): string {
  if (seconds == null) return t.unknown;
  return seconds < 1 ? t.justNow : t.ago(duration(seconds));
}

/** `part` of 1 as a percentage; never 0 % or 100 % by rounding alone. */
export function percent(part: Maybe): string {
  if (part == null || !Number.isFinite(part)) return t.unknown;
  let value = Math.round(part * 100);
  if (value === 0 && part > 0) value = 1;
  if (value === 100 && part < 1) value = 99;
  return `${value}${kNoBreak}%`;
}

/** `amount` in whole currency units. More decimals than the currency has where a message costs less than a cent. */
export function money(amount: number | string | null | undefined, currency: string): string {
  const value = Number(amount);
  if (amount == null || amount === "" || !Number.isFinite(value)) return t.unknown;
  const fine = value !== 0 && Math.abs(value) < 0.1;
  const digits = fine ? { minimumFractionDigits: 2, maximumFractionDigits: 4 } : {};
  try {
    return new Intl.NumberFormat(t.locale, {
      style: "currency",
      currency,
      currencyDisplay: "code",
      ...digits,
    }).format(value);
  } catch {
    // Not an ISO 4217 code: a plan may count in anything ("units", say).
    return `${value.toFixed(fine ? 4 : 2)}${kNoBreak}${currency}`;
  }
}

export function toDate(instant: Instant | null | undefined): Date | null {
  if (instant == null) return null;
  const date = new Date(instant);
  return Number.isNaN(date.getTime()) ? null : date;
}

const times = new Intl.DateTimeFormat(t.locale, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const days = new Intl.DateTimeFormat(t.locale, { day: "numeric", month: "short" });
const dayTimes = new Intl.DateTimeFormat(t.locale, {
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const full = new Intl.DateTimeFormat(t.locale, { dateStyle: "medium", timeStyle: "medium" });

export const clock = (date: Date): string => times.format(date);
export const day = (date: Date): string => days.format(date);
export const dayAndTime = (date: Date): string => dayTimes.format(date);
export const fullTime = (date: Date): string => full.format(date);

/** The time of day, or the date where that was on another day. */
export function shortTime(date: Date, now: Date): string {
  return date.toDateString() === now.toDateString() ? clock(date) : dayAndTime(date);
}
