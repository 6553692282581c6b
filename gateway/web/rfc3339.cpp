// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/rfc3339.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace tulpar::web {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr WallTime kLast = sys_days(year{9999} / 12 / 31) + days(1) - Millis(1);

// Takes what it reads off the front of the text.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : rest_(text) {}
  bool empty() const { return rest_.empty(); }

  bool skip(std::string_view one_of) {
    if (rest_.empty() || one_of.find(rest_[0]) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Exactly `digits` of them, not above `most`.
  std::optional<int> number(std::size_t digits, int most) {
    if (rest_.size() < digits) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return value <= most ? std::optional(value) : std::nullopt;
  }
  // Digits of a second's fraction, at least one.
  std::optional<Millis> fraction() {
    int value = 0, digits = 0;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1), ++digits)
      if (digits < 3) value = value * 10 + (rest_[0] - '0');
    if (digits == 0) return std::nullopt;
    for (; digits < 3; ++digits) value *= 10;
    return Millis(value);
  }

 private:
  std::string_view rest_;
};

std::optional<WallTime> read_date(Cursor& in) {
  const auto y = in.number(4, 9999);
  if (!y || !in.skip("-")) return std::nullopt;
  const auto m = in.number(2, 12);
  if (!m || !in.skip("-")) return std::nullopt;
  const auto d = in.number(2, 31);
  if (!d) return std::nullopt;
  const year_month_day date = year{*y} / *m / *d;
  if (!date.ok()) return std::nullopt;
  return WallTime(sys_days(date));
}

// The time of a day; a leap second counts as the one before it.
std::optional<Millis> read_clock(Cursor& in) {
  const auto h = in.number(2, 23);
  if (!h || !in.skip(":")) return std::nullopt;
  const auto m = in.number(2, 59);
  if (!m || !in.skip(":")) return std::nullopt;
  const auto s = in.number(2, 60);
  if (!s) return std::nullopt;
  const Millis whole = hours(*h) + minutes(*m) + seconds(std::min(*s, 59));
  if (!in.skip(".")) return whole;
  const auto part = in.fraction();
  return part ? std::optional(whole + *part) : std::nullopt;
}

std::optional<Millis> read_offset(Cursor& in) {
  if (in.skip("Zz")) return Millis(0);
  const bool west = in.skip("-");
  if (!west && !in.skip("+")) return std::nullopt;
  const auto h = in.number(2, 23);
  if (!h || !in.skip(":")) return std::nullopt;
  const auto m = in.number(2, 59);
  if (!m) return std::nullopt;
  const Millis east = hours(*h) + minutes(*m);
  return west ? -east : east;
}

std::optional<WallTime> read_instant(std::string_view text) {
  Cursor in(text);
  const auto date = read_date(in);
  if (!date || in.empty()) return date;
  if (!in.skip("Tt ")) return std::nullopt;
  const auto clock = read_clock(in);
  if (!clock) return std::nullopt;
  const auto offset = read_offset(in);
  if (!offset || !in.empty()) return std::nullopt;
  return *date + *clock - *offset;
}

std::optional<WallTime> read_seconds(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < 0 || value > std::chrono::floor<seconds>(kLast).time_since_epoch().count()) return std::nullopt;
  return WallTime(seconds(value));
}

}  // namespace

std::string format_time(WallTime at) {
  at = std::clamp(at, WallTime{}, kLast);
  const auto day = std::chrono::floor<days>(at);
  const year_month_day date(day);
  const auto in_day = (at - day).count();
  const auto second = in_day / 1000;
  auto text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                          static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), second / 3600,
                          second / 60 % 60, second % 60);
  if (in_day % 1000 != 0) text += fmt::format(".{:03}", in_day % 1000);
  return text + 'Z';
}

Result<WallTime> parse_time(std::string_view text) {
  auto found = read_seconds(text);
  if (!found) found = read_instant(text);
  if (found && *found >= WallTime{} && *found <= kLast) return *found;
  return Error{
      R"(an instant such as "2026-11-22T10:00:00Z", a day such as "2026-11-22", or seconds since 1970)"};
}

}  // namespace tulpar::web
