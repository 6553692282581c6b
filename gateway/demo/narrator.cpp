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

// How long the bridge still needs at the pace that it had so far.
std::string through(const DemoState& state) {
  std::string text = fmt::format("Tulpar's backlog is out after {}", time_span(state.running));
  if (state.bridge.waiting < kFew || state.bridge.delivered == 0) return text + ".";
  const auto pace = static_cast<double>(state.bridge.delivered) / static_cast<double>(state.running.count());
  const Millis left(static_cast<std::int64_t>(static_cast<double>(state.bridge.waiting) / pace));
  return text + fmt::format("; the bridge needs about {} more.", rough_span(left));
}

}  // namespace

const std::string& Narrator::note(const DemoState& state) {
  if (note_.empty()) note_ = beginning(state);
  if (state.link_up != link_up_) {
    link_up_ = state.link_up;
    note_ = link_up_ ? "The satellite is back: both go on where they stopped."
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
  return note_;
}

}  // namespace tulpar::demo
