// SPDX-License-Identifier: Apache-2.0
#include "queue/plan.hpp"

#include <date/date.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace tulpar::queue {

using config::ByteSize;
using config::Money;
using config::OverQuota;

namespace {

__extension__ using Wide = unsigned __int128;

constexpr Millis kDay = std::chrono::days{1};

struct Days {
  std::int64_t index, count;  // today, counted from 0; in the whole cycle
  std::int64_t left() const { return count - index; }
};

Days days(const CycleBounds& cycle, WallTime now) {
  const auto count = std::max<std::int64_t>(1, (cycle.end - cycle.begin + kDay / 2) / kDay);
  const Millis elapsed = std::clamp(now, cycle.begin, cycle.end) - cycle.begin;
  return {std::min<std::int64_t>(elapsed / kDay, count - 1), count};
}

ByteSize minus(ByteSize a, ByteSize b) { return a > b ? a - b : 0; }

ByteSize part(ByteSize whole, std::uint64_t numerator, std::uint64_t denominator) {
  return static_cast<ByteSize>(static_cast<Wide>(whole) * numerator / denominator);
}

Money price_of(ByteSize bytes, const config::Plan& plan) {
  const Wide money =
      (static_cast<Wide>(bytes) * static_cast<std::uint64_t>(plan.price) + plan.per - 1) / plan.per;
  return static_cast<Money>(std::min<Wide>(money, std::numeric_limits<Money>::max()));
}

// To three figures or so: "1.6 MB". The exact figures are in the status.
std::string text(ByteSize bytes) {
  constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  double value = static_cast<double>(bytes);
  for (; value >= 999.95 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  return fmt::format("{:.{}f} {}", value, unit == 0 ? 0 : 1, kUnits[unit]);
}

std::string text(std::optional<WallTime> until) {
  return until ? date::format("until %F %R UTC", date::floor<std::chrono::minutes>(*until))
               : std::string("until the time is known");
}

}  // namespace

// What may be used, worked out once for all classes. Without emergency's use where not said otherwise.
struct PlanMeter::Budget {
  std::optional<ByteSize> volume;
  ByteSize reserve = 0;        // withheld: the reserve, or what emergency used if that is more
  ByteSize room = 0;           // the volume without it
  ByteSize emergency = 0;      // what emergency used in the cycle
  ByteSize used = 0;           // in the cycle
  ByteSize paced_today = 0;    // today, without what was left over
  ByteSize allowance = 0;      // for today
  ByteSize pace_before = 0;    // what an even pace would have used before today
  ByteSize pace_ahead = 0;     // by today's end, and what may be borrowed of tomorrow
  std::int64_t days_left = 1;  // with today
};

WallTime day_begin(const CycleBounds& cycle, WallTime now) {
  return cycle.begin + days(cycle, now).index * kDay;
}

const char* to_string(PlanState state) {
  switch (state) {
    case PlanState::kGreen:
      return "green";
    case PlanState::kYellow:
      return "yellow";
    case PlanState::kOrange:
      return "orange";
    case PlanState::kRed:
      return "red";
  }
  return "unknown";
}

PlanMeter::PlanMeter(config::Plan plan, const std::vector<config::MessageClass>& classes)
    : plan_(std::move(plan)) {
  for (const auto& cls : classes) behaviours_.push_back(cls.over_quota);
}

PlanMeter::Budget PlanMeter::budget(const PlanUse& use) const {
  const ClassUse emergency = use.classes.empty() ? ClassUse{} : use.classes[kEmergency];
  ByteSize left_over_today = 0;
  for (std::size_t i = kEmergency + 1; i < std::min(behaviours_.size(), use.classes.size()); ++i)
    if (behaviours_[i] == OverQuota::kLeftOver) left_over_today += use.classes[i].today;

  const Days day = days(use.cycle, use.now);
  const ByteSize today = minus(use.used_today, emergency.today);
  Budget b;
  b.volume = plan_.hard_cap;
  b.reserve = std::max(plan_.reserve, emergency.cycle);
  b.room = minus(b.volume.value_or(0), b.reserve);
  b.emergency = emergency.cycle;
  b.used = minus(use.used, emergency.cycle);
  b.paced_today = minus(today, left_over_today);
  b.days_left = day.left();
  b.allowance = minus(b.room, minus(b.used, today)) / static_cast<ByteSize>(b.days_left);
  const auto count = static_cast<std::uint64_t>(day.count), index = static_cast<std::uint64_t>(day.index);
  b.pace_before = part(b.room, index, count);
  b.pace_ahead = part(b.room, 100 * (index + 1) + PlanMeter::kBorrowPercent, 100 * count);
  return b;
}

PlanState PlanMeter::state(const PlanUse& use, const Budget& b) const {
  const ByteSize planned = plan_.included > 0 ? plan_.included : b.volume.value_or(0);
  if (b.volume && b.used >= b.room) return PlanState::kRed;
  if (planned > 0 && static_cast<double>(use.used) >= plan_.soft_cap * static_cast<double>(planned))
    return PlanState::kOrange;
  if (b.volume && b.paced_today >= b.allowance) return PlanState::kYellow;
  return PlanState::kGreen;
}

ClassVerdict PlanMeter::verdict(OverQuota behaviour, const PlanUse& use, const Budget& b) const {
  if (!b.volume) return {};
  const auto held = [&](std::string why, WallTime until) {
    ClassVerdict verdict{.open = false, .hold_reason = {}, .until = {}};
    if (use.clock_trusted) verdict.until = until;
    verdict.hold_reason = fmt::format("held {}: {}", text(verdict.until), why);
    return verdict;
  };
  if (b.used >= b.room)
    return held(fmt::format("the cycle's {} is used up ({} more is kept for emergency)", text(b.room),
                            text(minus(b.reserve, b.emergency))),
                use.cycle.end);

  const WallTime next_day = b.days_left > 1 ? day_begin(use.cycle, use.now) + kDay : use.cycle.end;
  const ByteSize slowed = part(b.allowance, PlanMeter::kSlowedPercent, 100);
  switch (behaviour) {
    case OverQuota::kAlways:
    case OverQuota::kToTheEnd:
      return {};
    case OverQuota::kPaced:
      if (b.paced_today < b.allowance || (use.clock_trusted && b.used < b.pace_ahead)) return {};
      return held(fmt::format("today's allowance of {} is used up{}", text(b.allowance),
                              use.clock_trusted ? ", and all that may be borrowed of tomorrow's" : ""),
                  next_day);
    case OverQuota::kSlowedFirst:
      if (b.paced_today < slowed) return {};
      return held(fmt::format("{} % of today's allowance of {} is used up, the rest is for what is more urgent",
                              PlanMeter::kSlowedPercent, text(b.allowance)),
                  next_day);
    case OverQuota::kLeftOver:
      if (b.used < b.pace_before) return {};
      return held("the days before today left nothing over", next_day);
  }
  return {};
}

PlanStatus PlanMeter::status(const PlanUse& use) const {
  const Budget b = budget(use);
  const ByteSize whole = plan_.included > 0 ? plan_.included : b.volume.value_or(0);
  PlanStatus status;
  status.used = use.used;
  status.included = plan_.included;
  if (whole > 0) status.percent = 100.0 * static_cast<double>(use.used) / static_cast<double>(whole);
  status.cost = price_of(minus(use.used, plan_.included), plan_);
  if (b.volume) {
    status.left = minus(b.room, b.used);
    status.daily_allowance = b.allowance;
  }
  status.used_of_allowance = b.paced_today;
  status.reserve_left = minus(b.reserve, b.emergency);
  status.resets_at = use.cycle.end;
  status.state = state(use, b);
  for (std::size_t i = 0; i < behaviours_.size(); ++i)
    status.classes.push_back(i == kEmergency ? ClassVerdict{} : verdict(behaviours_[i], use, b));
  return status;
}

}  // namespace tulpar::queue
