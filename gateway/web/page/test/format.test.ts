// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import * as format from "../src/format";

// Texts join number and unit with a no-break space; the tests read better with an ordinary one.
const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("bytes", () => {
  it("keeps three significant figures, so that a changing figure keeps its width", () => {
    expect([0, 7, 999].map((n) => plain(format.bytes(n)))).toEqual(["0 B", "7 B", "999 B"]);
    expect([1000, 1234, 12_345, 123_456].map((n) => plain(format.bytes(n)))).toEqual([
      "1.00 kB",
      "1.23 kB",
      "12.3 kB",
      "123 kB",
    ]);
  });
  it("rounds over to the next unit instead of writing 1000", () => {
    expect(plain(format.bytes(999_499))).toBe("999 kB");
    expect(plain(format.bytes(999_500))).toBe("1.00 MB");
    expect(plain(format.bytes(99_960))).toBe("100 kB");
    expect(plain(format.bytes(9_996))).toBe("10.0 kB");
  });
  it("stays in the largest unit that it has", () => {
    expect(plain(format.bytes(5e15))).toBe("5,000 TB");
  });
  it("writes a minus, but none before zero", () => {
    expect(plain(format.bytes(-1500))).toBe("−1.50 kB");
    expect(plain(format.bytes(-0))).toBe("0 B");
  });
  it("says so when nothing is known", () => {
    expect([null, undefined, NaN, Infinity].map(format.bytes)).toEqual(["–", "–", "–", "–"]);
  });
  it("leaves needless zeros out of figures that somebody chose", () => {
    expect(plain(format.roundBytes(50_000_000))).toBe("50 MB");
    expect(plain(format.roundBytes(1_250_000))).toBe("1.25 MB");
    expect(plain(format.roundRate(9600))).toBe("9.6 kbit/s");
  });
});

describe("duration", () => {
  it("names the two largest units that matter", () => {
    const texts = [0, 59.9, 60, 3599, 3600, 7500, 86_400, 100_800, 8 * 86_400 + 7200].map((s) =>
      plain(format.duration(s)),
    );
    expect(texts).toEqual(["0 s", "59 s", "1 min", "59 min", "1 h", "2 h 05 min", "1 d", "1 d 4 h", "8 d"]);
  });
  it("never runs backwards", () => expect(plain(format.duration(-5))).toBe("0 s"));
  it("gives delays in the unit that shows them", () => {
    expect([0, 620.4, 999, 1000, 1449, 9949, 12_000].map((ms) => plain(format.delay(ms)))).toEqual([
      "0 ms",
      "620 ms",
      "999 ms",
      "1.0 s",
      "1.4 s",
      "9.9 s",
      "12 s",
    ]);
  });
  it("tells how long ago something was", () => {
    expect(format.ago(0.4)).toBe("just now");
    expect(plain(format.ago(61))).toBe("1 min ago");
    expect(format.ago(null)).toBe("–");
  });
});

describe("percent", () => {
  it("does not round a little to nothing, nor nearly all to all", () => {
    expect([0, 0.001, 0.42, 0.9999, 1, 1.37].map((part) => plain(format.percent(part)))).toEqual([
      "0 %",
      "1 %",
      "42 %",
      "99 %",
      "100 %",
      "137 %",
    ]);
    expect(format.percent(0 / 0)).toBe("–");
  });
});

describe("money", () => {
  it("uses the currency's own decimals, and more below a tenth", () => {
    expect(plain(format.money(12.5, "USD"))).toBe("USD 12.50");
    expect(plain(format.money("0.0034", "USD"))).toBe("USD 0.0034");
    expect(plain(format.money(0, "USD"))).toBe("USD 0.00");
    expect(plain(format.money(1500, "JPY"))).toBe("JPY 1,500");
  });
  it("shows what is no currency as it is", () => expect(plain(format.money(3, "units"))).toBe("3.00 units"));
  it("does not take an empty or broken amount for zero", () => {
    expect([null, undefined, "", "x"].map((amount) => format.money(amount, "USD"))).toEqual([
      "–",
      "–",
      "–",
      "–",
    ]);
  });
});

describe("times", () => {
  it("reads RFC 3339 text and milliseconds since 1970 alike", () => {
    expect(format.toDate("2026-11-14T12:00:00Z")).toEqual(format.toDate(1_794_657_600_000));
  });
  it("knows nothing of what is no time", () => {
    expect([null, undefined, "soon"].map((instant) => format.toDate(instant))).toEqual([null, null, null]);
  });
  it("leaves the date out on the same day only", () => {
    const noon = new Date(2026, 10, 14, 12, 0, 5);
    expect(format.shortTime(noon, new Date(2026, 10, 14, 23))).toBe("12:00:05");
    expect(format.shortTime(noon, new Date(2026, 10, 15, 1))).toBe("14 Nov, 12:00");
  });
});
