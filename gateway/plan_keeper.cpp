// SPDX-License-Identifier: Apache-2.0
#include "gateway/plan_keeper.hpp"

#include <algorithm>

namespace tulpar {
namespace {

std::int64_t unix_seconds(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

struct PlanKeeper::Reading {
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

void PlanKeeper::step() {
  const BootTime now = clock_->now();
  if (opens_ && *opens_ <= now) dirty_ = true;
  if (!meter_ || reading_ || !dirty_ || (looked_ && now - *looked_ < kEvery)) return;
  dirty_ = false;
  reading_ = true;
  looked_ = now;
  if (clock_->trusted()) trusted_ = clock_->wall();
  const auto bounds = cycle_->at(trusted_);
  runner_->read(
      [link = link_.name, cycle = unix_seconds(bounds.begin),
       today = unix_seconds(queue::day_begin(bounds, trusted_))](queue::StoreReader& reader) {
        return Reading{reader.used_since(link, cycle), reader.used_since(link, today),
                       reader.used_undated(link), reader.counted_since(link)};
      },
      [this, alive = std::weak_ptr<int>(alive_)](Result<Reading> reading) {
        if (alive.expired()) return;
        reading_ = false;
        if (reading) apply(*reading);
        wake_();
      });
}

void PlanKeeper::apply(const Reading& reading) {
  queue::PlanUse use{
      .cycle = cycle_->at(trusted_), .now = trusted_, .clock_trusted = clock_->trusted(), .classes = {}};
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
  if (clock_->trusted()) {
    std::optional<config::ByteSize> volume;
    if (figures.status.left) volume = use.used + *figures.status.left;
    const WallTime since{std::chrono::seconds(reading.since)};
    figures.forecast = queue::forecast(use.cycle, std::max(since, use.cycle.begin), trusted_, use.used, volume);
  }
  opens_.reset();
  for (std::size_t i = 0; i < figures.status.classes.size(); ++i) {
    const auto& verdict = figures.status.classes[i];
    if (peer_) peer_->scheduler().close(static_cast<queue::ClassId>(i), !verdict.open);
    if (verdict.until) {
      const BootTime at = clock_->now() + std::max(*verdict.until - clock_->wall(), Millis{1000});
      opens_ = std::min(opens_.value_or(at), at);
    }
  }
  figures_ = std::move(figures);
}

std::optional<BootTime> PlanKeeper::next_wake() const {
  if (!meter_ || reading_) return std::nullopt;
  if (dirty_) return looked_ ? *looked_ + kEvery : clock_->now();
  return opens_;
}

}  // namespace tulpar
