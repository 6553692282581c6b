// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/narrator.hpp"

#include <fmt/format.h>

#include "gateway/demo/text.hpp"

namespace tulpar::demo {
namespace {

// Fewer than this are everyday traffic, not a backlog.
constexpr std::uint64_t kFew = 20;

std::string beginning(const DemoState& state) {
  return fmt::format("The satellite was away for {}: {} messages wait. An SOS follows at 10 s.",
                     rough_span(state.away), thousands(state.backlog));
}

// How long the bridge still needs: as it needs the link, not as it went so far, which may have been an outage.
std::string through(const DemoState& state) {
  std::string text = fmt::format("Tulpar's backlog is out after {}", time_span(state.running));
  const LaneView& bridge = state.bridge;
  if (bridge.waiting < kFew || bridge.delivered == 0 || state.rate == 0) return text + ".";
  const double each = static_cast<double>(bridge.wire_up) / static_cast<double>(bridge.delivered);
  const double bits = 8 * each * static_cast<double>(bridge.waiting);
  const Millis left(static_cast<std::int64_t>(1000 * bits / static_cast<double>(state.rate)));
  return text + fmt::format("; the bridge needs about {} more.", rough_span(left));
}

std::string arrival(const RaceView& race) {
  const std::string what =
      fmt::format("{} of {}: ", race.kind == RaceView::Kind::kSos ? "SOS" : "Reply", race.sent_at);
  if (race.tulpar && race.bridge) {
    return what + fmt::format("Tulpar delivered it in {}, the bridge in {}.", time_span(*race.tulpar),
                              time_span(*race.bridge));
  }
  if (race.bridge)
    return what + fmt::format("the bridge delivered it in {}, Tulpar not yet.", time_span(*race.bridge));
  const std::string rest = race.bridge_ahead > 0
                               ? fmt::format("the bridge has {} to go.", thousands(race.bridge_ahead))
                               : "the bridge not yet.";
  return what + fmt::format("Tulpar delivered it in {}, {}", time_span(*race.tulpar), rest);
}

}  // namespace

bool Narrator::is_news(const RaceView& race) {
  if (races_.size() <= race.number) races_.resize(race.number + 1);
  Told& told = races_[race.number];
  const Told now{.tulpar = race.tulpar.has_value(), .bridge = race.bridge.has_value()};
  const bool news = now.tulpar != told.tulpar || now.bridge != told.bridge;
  told = now;
  return news;
}

const std::string& Narrator::note(const DemoState& state) {
  if (note_.empty()) note_ = beginning(state);
  if (state.link_up != link_up_) {
    link_up_ = state.link_up;
    note_ = link_up_ ? "The satellite is back: each goes on as soon as its connection notices."
                     : "The satellite is gone: both keep what they have.";
  }
  // In the very beginning nothing has come in yet.
  const auto out = [&](const LaneView& lane) { return lane.delivered > 0 && lane.waiting < kFew; };
  if (!tulpar_through_ && out(state.tulpar)) {
    tulpar_through_ = true;
    note_ = through(state);
  }
  if (!bridge_through_ && out(state.bridge)) {
    bridge_through_ = true;
    note_ = fmt::format("The bridge's backlog is out, too, after {}.", time_span(state.running));
  }
  for (const RaceView& race : state.races) {
    if (is_news(race)) note_ = arrival(race);
  }
  return note_;
}

}  // namespace tulpar::demo
