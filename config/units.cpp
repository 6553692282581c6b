// SPDX-License-Identifier: Apache-2.0
#include "config/units.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <span>

namespace tulpar::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Formatting takes the largest unit that leaves a whole number; among equals the first.
constexpr Unit kDurations[] = {{"ms", 1},        {"s", 1000},       {"min", 60'000},
                               {"h", 3'600'000}, {"d", 86'400'000}, {"m", 60'000}};
constexpr Unit kSizes[] = {{"B", 1},
                           {"kB", 1'000},
                           {"MB", 1'000'000},
                           {"GB", 1'000'000'000},
                           {"TB", 1'000'000'000'000},
                           {"KiB", 1ull << 10},
                           {"MiB", 1ull << 20},
                           {"GiB", 1ull << 30},
                           {"TiB", 1ull << 40}};
constexpr Unit kRates[] = {{"bit/s", 1}, {"kbit/s", 1'000}, {"Mbit/s", 1'000'000}, {"Gbit/s", 1'000'000'000},
                           {"B/s", 8},   {"kB/s", 8'000},   {"MB/s", 8'000'000}};
// Rates are printed in bits only: a byte rate would be mistaken for one.
constexpr std::size_t kRatesPrinted = 4;

constexpr std::size_t kMaxFraction = 9;
constexpr std::int64_t kBillion = 1'000'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<std::uint64_t> parse_whole(std::string_view digits) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// A decimal without sign, times `factor`. Nothing if it is none, does not come out whole, or is too large.
std::optional<std::uint64_t> parse_decimal(std::string_view digits, std::uint64_t factor) {
  const auto point = digits.find('.');
  const auto whole = parse_whole(digits.substr(0, point));
  std::uint64_t result = 0;
  if (!whole || __builtin_mul_overflow(*whole, factor, &result)) return std::nullopt;
  if (point == std::string_view::npos) return result;
  const auto fraction_text = digits.substr(point + 1);
  auto fraction = parse_whole(fraction_text);
  if (!fraction || fraction_text.size() > kMaxFraction) return std::nullopt;
  std::uint64_t scale = 1;
  for (std::size_t i = 0; i < fraction_text.size(); ++i) scale *= 10;
  std::uint64_t part = 0;
  if (__builtin_mul_overflow(*fraction, factor, &part) || part % scale != 0) return std::nullopt;
  if (__builtin_add_overflow(result, part / scale, &result)) return std::nullopt;
  return result;
}

std::optional<std::uint64_t> parse_quantity(std::string_view text, std::span<const Unit> units) {
  std::size_t end = 0;
  while (end < text.size() && (is_digit(text[end]) || text[end] == '.')) ++end;
  const auto number = text.substr(0, end);
  auto name = text.substr(end);
  if (name.starts_with(' ')) name.remove_prefix(1);
  for (const auto& unit : units)
    if (unit.name == name) return parse_decimal(number, unit.factor);
  return std::nullopt;
}

std::string format_quantity(std::uint64_t value, std::span<const Unit> units) {
  const Unit* best = &units.front();
  for (const auto& unit : units)
    if (value != 0 && value % unit.factor == 0 && unit.factor > best->factor) best = &unit;
  return fmt::format("{}{}", value / best->factor, best->name);
}

}  // namespace

Result<Millis> parse_duration(std::string_view text) {
  const auto value = parse_quantity(text, kDurations);
  if (!value || *value > static_cast<std::uint64_t>(Millis::max().count()))
    return Error{R"(not a duration; write e.g. "300ms", "10s", "5min", "2h" or "7d")"};
  return Millis(static_cast<Millis::rep>(*value));
}

std::string format_duration(Millis duration) {
  if (duration.count() == 0) return "0s";
  return format_quantity(static_cast<std::uint64_t>(duration.count()), kDurations);
}

Result<ByteSize> parse_size(std::string_view text) {
  if (const auto value = parse_quantity(text, kSizes)) return *value;
  return Error{R"(not a size; write e.g. "340B", "50kB" (1000), "50KiB" (1024) or "1MB")"};
}

std::string format_size(ByteSize size) { return format_quantity(size, kSizes); }

Result<BitRate> parse_rate(std::string_view text) {
  if (const auto value = parse_quantity(text, kRates)) return *value;
  return Error{R"(not a rate; write e.g. "9600bit/s")"};
}

std::string format_rate(BitRate rate) { return format_quantity(rate, std::span(kRates).first(kRatesPrinted)); }

Result<Money> parse_money(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto value = parse_decimal(text, kBillion);
  if (!value || *value > static_cast<std::uint64_t>(std::numeric_limits<Money>::max()))
    return Error{"not a price; write a decimal with at most nine digits behind the point, e.g. 4.95"};
  const auto money = static_cast<Money>(*value);
  return negative ? -money : money;
}

std::string format_money(Money money) {
  // The magnitude as unsigned: the most negative value has no positive one.
  const auto magnitude = money < 0 ? 0 - static_cast<std::uint64_t>(money) : static_cast<std::uint64_t>(money);
  auto text = fmt::format("{}{}.{:09}", money < 0 ? "-" : "", magnitude / kBillion, magnitude % kBillion);
  const auto shortest = text.size() - kMaxFraction + 2;
  while (text.size() > shortest && text.back() == '0') text.pop_back();
  return text;
}

Result<int> parse_time_of_day(std::string_view text) {
  if (text.size() == 5 && text[2] == ':') {
    const auto hour = parse_whole(text.substr(0, 2));
    const auto minute = parse_whole(text.substr(3));
    if (hour && minute && *hour < 24 && *minute < 60) return static_cast<int>(*hour * 60 + *minute);
  }
  return Error{R"(not a time of day; write e.g. "07:30" ("00:00" to "23:59"))"};
}

std::string format_time_of_day(int minutes) { return fmt::format("{:02}:{:02}", minutes / 60, minutes % 60); }

Result<DaySet> parse_days(std::string_view text) {
  constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  const auto day = [&](std::string_view name) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < kDays.size(); ++i)
      if (kDays[i] == name) return i;
    return std::nullopt;
  };
  DaySet days = 0;
  for (bool more = true; more;) {
    const auto comma = text.find(',');
    const auto part = text.substr(0, comma);
    const auto dash = part.find('-');
    const auto first = day(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : day(part.substr(dash + 1));
    if (!first || !last) return Error{R"(not days of the week; write e.g. "mon-fri" or "sat,sun")"};
    for (auto i = *first;; i = (i + 1) % kDays.size()) {
      days |= static_cast<DaySet>(1u << i);
      if (i == *last) break;
    }
    more = comma != std::string_view::npos;
    if (more) text.remove_prefix(comma + 1);
  }
  return days;
}

}  // namespace tulpar::config
