// SPDX-License-Identifier: Apache-2.0
#include "queue/cycle.hpp"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tulpar::queue {
namespace {

using std::chrono::minutes;

constexpr WallTime kEarliest = date::sys_days{date::year{1971} / 1 / 1};
constexpr WallTime kLatest = date::sys_days{date::year{9998} / 12 / 31};

const date::time_zone* find_zone(const std::string& name) {
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {  // unknown, or no tz database on this machine
    return nullptr;
  }
}

int month_of(const date::time_zone& zone, WallTime instant) {
  const date::year_month_day day{date::floor<date::days>(zone.to_local(instant))};
  return static_cast<int>(day.year()) * 12 + static_cast<int>(static_cast<unsigned>(day.month())) - 1;
}

}  // namespace

std::string day_in_words(WallTime instant, const std::string& zone) {
  static constexpr std::array kMonths = {"January", "February", "March",     "April",   "May",      "June",
                                         "July",    "August",   "September", "October", "November", "December"};
  const auto* known = find_zone(zone);
  const auto day = known ? date::year_month_day{date::floor<date::days>(known->to_local(instant))}
                         : date::year_month_day{date::floor<date::days>(instant)};
  return fmt::format("{} {}", static_cast<unsigned>(day.day()),
                     kMonths.at(static_cast<unsigned>(day.month()) - 1));
}

Result<BillingCycle> BillingCycle::make(const config::PlanCycle& plan) {
  if (plan.reset_day < 1 || plan.reset_day > 31)
    return Error{
        fmt::format("cycle: reset_day is {}; allowed is 1 to 31 (31: the month's last day)", plan.reset_day)};
  if (plan.reset_minute < 0 || plan.reset_minute >= 24 * 60)
    return Error{
        fmt::format("cycle: time is {} minutes after midnight; allowed is 0 to 1439", plan.reset_minute)};
  const auto* zone = find_zone(plan.zone);
  if (!zone)
    return Error{
        fmt::format("cycle: this machine knows no zone \"{}\"; write an IANA name, e.g. \"Asia/Almaty\", "
                    "and check that tzdata is installed",
                    plan.zone)};
  return BillingCycle(plan, zone);
}

BillingCycle::BillingCycle(const config::PlanCycle& plan, const date::time_zone* zone)
    : day_(plan.reset_day), minute_(plan.reset_minute), zone_(zone) {}

WallTime BillingCycle::reset(int month) const {
  const auto in_month = date::year{month / 12} / (month % 12 + 1);
  const date::day last = (in_month / date::last).day();
  const auto day = in_month / std::min(last, date::day{static_cast<unsigned>(day_)});
  const auto local = date::local_days{day} + minutes{minute_};
  const date::local_info info = zone_->get_info(local);
  if (info.result == date::local_info::nonexistent) return info.first.end;
  return WallTime{local.time_since_epoch() - info.first.offset};
}

CycleBounds BillingCycle::at(WallTime instant) const {
  instant = std::clamp(instant, kEarliest, kLatest);
  int month = month_of(*zone_, instant);
  CycleBounds bounds{reset(month), reset(month + 1)};
  // A clock that is set back over a month's first midnight, or a zone that changes its date, makes the local
  // month run ahead of the reset or behind it.
  for (; instant < bounds.begin; --month) bounds = {reset(month - 1), bounds.begin};
  for (; instant >= bounds.end; ++month) bounds = {bounds.end, reset(month + 2)};
  return bounds;
}

}  // namespace tulpar::queue
