// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/summary.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "gateway/demo/text.hpp"

namespace tulpar::demo {
namespace {

constexpr std::size_t kLabel = 16, kColumn = 32;
// Of the races the latest; the table shall stay a small one.
constexpr std::size_t kRaces = 8;

std::string lane_summary(const LaneView& lane, const std::string& currency) {
  return fmt::format("{} waiting, {} delivered, {} each, {} {}", thousands(lane.waiting),
                     thousands(lane.delivered), byte_mean(lane.each()), money(lane.cost), currency);
}

std::string race_summary(const std::optional<Millis>& took, Millis age) {
  return took ? "in " + time_span(*took) : "waiting " + time_span(age);
}

std::string row(std::string_view label, const std::string& tulpar, const std::string& bridge) {
  const auto padded = [](std::string_view text, std::size_t width) {
    return std::string(text) + std::string(width - std::min(width, text_width(text)), ' ');
  };
  return "  " + padded(label, kLabel) + padded(tulpar, kColumn) + bridge + "\n";
}

std::string outcome(const std::optional<Millis>& took, Millis age) {
  return took ? "after " + time_span(*took) : "still waiting after " + time_span(age);
}

}  // namespace

std::string summary(const DemoState& state) {
  std::string out = fmt::format("{:>9}  link {}  Tulpar: {}  bridge: {}", time_span(state.running),
                                state.link_up ? "up " : "CUT", lane_summary(state.tulpar, state.currency),
                                lane_summary(state.bridge, state.currency));
  if (!state.races.empty()) {
    const RaceView& race = state.races.back();
    out += fmt::format("  {} {}: Tulpar {}, bridge {}", race.kind == RaceView::Kind::kSos ? "SOS" : "reply",
                       race.sent_at, race_summary(race.tulpar, race.age), race_summary(race.bridge, race.age));
  }
  return out;
}

std::string closing(const DemoState& state) {
  const LaneView &t = state.tulpar, &b = state.bridge;
  std::string out = fmt::format("{} over {} bit/s, {} ms one way, {:.3g} % lost\n", time_span(state.running),
                                thousands(state.rate), state.delay.count(), state.loss * 100);
  out += row("", "Tulpar", "plain bridge");
  out += row("delivered", thousands(t.delivered), thousands(b.delivered));
  out += row("superseded", thousands(t.replaced), thousands(b.replaced));
  out += row("still waiting", thousands(t.waiting), thousands(b.waiting));
  out += row("on the wire", byte_count(t.wire()), byte_count(b.wire()));
  out += row("each message", byte_mean(t.each()), byte_mean(b.each()));
  out += row("money", money(t.cost) + " " + state.currency, money(b.cost) + " " + state.currency);
  for (std::size_t i = state.races.size() - std::min(state.races.size(), kRaces); i < state.races.size(); ++i) {
    const RaceView& race = state.races[i];
    const char* what = race.kind == RaceView::Kind::kSos ? "SOS" : "reply";
    out += row(fmt::format("{} {}", what, race.sent_at), outcome(race.tulpar, race.age),
               outcome(race.bridge, race.age));
  }
  return out;
}

}  // namespace tulpar::demo
