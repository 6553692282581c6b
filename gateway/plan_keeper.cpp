// SPDX-License-Identifier: Apache-2.0
#include "gateway/plan_keeper.hpp"

#include <algorithm>
#include <limits>

namespace tulpar {
namespace {

// How often a clock that is not believed is asked again. Nothing else may ever ask: where all is held, nothing
// settles.
constexpr Millis kAskClock = std::chrono::minutes(1);

std::int64_t unix_seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

// All that time alone changes changes then: the billing day, and with the last one the cycle.
Millis until_next_day(const queue::CycleBounds& cycle, WallTime at) {
  const WallTime next = queue::day_begin(cycle, at) + std::chrono::days(1);
  return (next > at ? std::min(next, cycle.end) : cycle.end) - at;
}

// When something was counted last under a believable clock; 1970: never.
WallTime last_counted(queue::StoreReader& reader, const std::string& link) {
  std::int64_t last = 0;
  for (const int resolution : {86'400, 300})  // five minutes are not kept as long as days
    for (const auto& row : reader.usage(resolution, last, std::numeric_limits<std::int64_t>::max(), "link"))
      if (row.label == link) last = row.start;
  return WallTime{std::chrono::seconds(last)};
}

}  // namespace

struct PlanKeeper::Reading {
  bool trusted = false;
  WallTime at{};  // now, or the last believable time
  std::map<std::string, std::int64_t> cycle, today;
  std::int64_t undated = 0, since = 0;
};

PlanKeeper::PlanKeeper(const config::Link& link, const std::vector<config::MessageClass>& classes,
                       queue::StoreRunner& runner, const Clock& clock, std::function<void()> wake)
    : link_(link), classes_(classes), runner_(&runner), clock_(&clock), wake_(std::move(wake)) {
  if (!link_.plan) return;
  cycle_ = queue::BillingCycle::make(link_.plan->cycle).value();
  meter_.emplace(*link_.plan, classes_);
}

void PlanKeeper::set_classes(const std::vector<config::MessageClass>& classes) {
  classes_ = classes;
  if (meter_) meter_.emplace(*link_.plan, classes_);
  dirty_ = true;
}

void PlanKeeper::step() {
  const BootTime now = clock_->now();
  if (due_ && *due_ <= now) dirty_ = true;
  if (!meter_ || reading_ || !dirty_ || (looked_ && now - *looked_ < kEvery)) return;
  dirty_ = false;
  reading_ = true;
  looked_ = now;
  const bool trusted = clock_->trusted();
  if (trusted) known_ = clock_->wall();
  runner_->query(
      [link = link_.name, cycle = *cycle_, trusted, known = known_](queue::StoreReader& reader) {
        const WallTime at = known ? *known : last_counted(reader, link);
        const auto bounds = cycle.at(at);
        return Reading{trusted,
                       at,
                       reader.used_since(link, unix_seconds(bounds.begin)),
                       reader.used_since(link, unix_seconds(queue::day_begin(bounds, at))),
                       reader.used_undated(link),
                       reader.counted_since(link)};
      },
      [this, alive = std::weak_ptr<int>(alive_)](Result<Reading> reading) {
        if (alive.expired()) return;
        reading_ = false;
        if (reading)
          apply(*reading);
        else
          dirty_ = true;
        wake_();
      });
}

void PlanKeeper::apply(const Reading& reading) {
  known_ = reading.at;
  queue::PlanUse use{
      .cycle = cycle_->at(reading.at), .now = reading.at, .clock_trusted = reading.trusted, .classes = {}};
  for (const auto& cls : classes_) {
    const auto find = [&](const auto& map) {
      const auto found = map.find(cls.name);
      return found == map.end() ? config::ByteSize{0} : static_cast<config::ByteSize>(found->second);
    };
    use.classes.push_back({find(reading.cycle), find(reading.today)});
  }
  const auto undated = static_cast<config::ByteSize>(reading.undated);
  use.used = use.used_today = undated;
  for (const auto& [name, bytes] : reading.cycle) use.used += static_cast<config::ByteSize>(bytes);
  for (const auto& [name, bytes] : reading.today) use.used_today += static_cast<config::ByteSize>(bytes);

  PlanFigures figures{.name = link_.plan_name,
                      .currency = link_.plan->currency,
                      .zone = link_.plan->cycle.zone,
                      .status = meter_->status(use),
                      .forecast = {}};
  if (reading.trusted) {
    std::optional<config::ByteSize> volume;
    if (figures.status.left) volume = use.used + *figures.status.left;
    const WallTime since{std::chrono::seconds(reading.since)};
    figures.forecast =
        queue::forecast(use.cycle, std::max(since, use.cycle.begin), reading.at, use.used, volume);
  }
  withhold(figures.status.classes);
  due_ = *looked_ + (reading.trusted ? until_next_day(use.cycle, reading.at) : kAskClock);
  figures_ = std::move(figures);
}

// In both directions: what comes down costs as much.
void PlanKeeper::withhold(const std::vector<queue::ClassVerdict>& verdicts) {
  if (!peer_) return;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    peer_->close(static_cast<queue::ClassId>(i), !verdicts[i].open);
    if (!verdicts[i].open) names.push_back(classes_[i].name);
  }
  peer_->hold(std::move(names));
}

std::optional<BootTime> PlanKeeper::next_wake() const {
  if (!meter_ || reading_) return std::nullopt;
  if (dirty_) return looked_ ? *looked_ + kEvery : clock_->now();
  return due_;
}

}  // namespace tulpar
