// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/races.hpp"

#include <algorithm>
#include <utility>

namespace tulpar::demo {
namespace {

std::optional<Millis> took(const std::optional<BootTime>& arrived, BootTime since) {
  return arrived ? std::optional(*arrived - since) : std::nullopt;
}

}  // namespace

void Races::begin(Start start) {
  races_.push_back({.start = std::move(start), .tulpar = {}, .bridge = {}});
  if (races_.size() <= kMax) return;
  races_.pop_front();
  ++forgotten_;
}

void Races::arrived(Way way, MessageKey key, BootTime now) {
  for (Race& race : races_) {
    std::optional<BootTime>& arrival = way == Way::kTulpar ? race.tulpar : race.bridge;
    if (race.start.key == key && !arrival) arrival = now;
  }
}

std::vector<RaceView> Races::view(BootTime now, std::uint64_t bridge_delivered) const {
  std::vector<RaceView> views;
  for (const Race& race : races_) {
    const Start& start = race.start;
    views.push_back({.number = forgotten_ + views.size(),
                     .kind = start.kind,
                     .sent_at = start.clock,
                     .words = start.words,
                     .age = now - start.at,
                     .tulpar = took(race.tulpar, start.at),
                     .bridge = took(race.bridge, start.at),
                     .tulpar_passed = start.tulpar_waiting,
                     .bridge_ahead = start.bridge_before - std::min(start.bridge_before, bridge_delivered)});
  }
  return views;
}

}  // namespace tulpar::demo
