// SPDX-License-Identifier: Apache-2.0
//
// How quantities are written in a configuration: "10s", "50kB", "9600bit/s", 5.00, "07:30", "mon-fri".
//
// Pure functions, any thread. Everything is exact: a fraction that is no whole number of the base unit
// (millisecond, byte, bit/s, billionth) is an error, nothing passes through floating point. For each pair:
// parse(format(x)) == x. Errors say what is expected, not where: the caller knows the place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "config/types.hpp"

namespace tulpar::config {

// A number and one of ms, s, min (or m), h, d: "300ms", "1.5h". Never negative.
Result<Millis> parse_duration(std::string_view text);
// In the largest unit that leaves a whole number; "0s".
std::string format_duration(Millis duration);

// A number and one of B, kB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024).
Result<ByteSize> parse_size(std::string_view text);
std::string format_size(ByteSize size);

// A number and one of bit/s, kbit/s, Mbit/s, Gbit/s (powers of 1000), or B/s, kB/s, MB/s (8 bit each).
Result<BitRate> parse_rate(std::string_view text);
std::string format_rate(BitRate rate);

// A decimal with at most nine digits behind the point; no exponent: "5", "-0.05", "1234.000000001".
Result<Money> parse_money(std::string_view text);
// At least two digits behind the point: "5.00", "0.0625".
std::string format_money(Money money);

// "00:00" to "23:59", as minutes after midnight.
Result<int> parse_time_of_day(std::string_view text);
std::string format_time_of_day(int minutes);

// Days of the week, bit 0 is Monday: "mon-fri", "sat,sun", "fri-mon" (over the week's end). Never empty.
using DaySet = std::uint8_t;
Result<DaySet> parse_days(std::string_view text);

}  // namespace tulpar::config
