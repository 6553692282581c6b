// SPDX-License-Identifier: Apache-2.0
//
// What people wait for, on both lanes at once: an SOS on its way up, a reply on its way down, and how long each
// took.
//
// Plain value, one owner; time is an argument. Only the latest kMax are kept.
#pragma once

#include <deque>
#include <vector>

#include "gateway/demo/state.hpp"
#include "gateway/demo/tally.hpp"

namespace tulpar::demo {

enum class Way : std::uint8_t { kTulpar, kBridge };

class Races {
 public:
  static constexpr std::size_t kMax = 100;

  struct Start {
    RaceView::Kind kind = RaceView::Kind::kSos;
    MessageKey key = 0;
    BootTime at{};
    std::string clock;  // "14:03:10"
    std::string words;
    // Of an SOS: what waited in Tulpar, and what the bridge had been given before it. The bridge keeps their
    // order.
    std::uint64_t tulpar_waiting = 0, bridge_before = 0;
  };
  void begin(Start start);
  // Only the first arrival counts, and only of what is racing.
  void arrived(Way way, MessageKey key, BootTime now);

  // `bridge_delivered`: how much came out of the bridge by now.
  std::vector<RaceView> view(BootTime now, std::uint64_t bridge_delivered) const;

 private:
  struct Race {
    Start start;
    std::optional<BootTime> tulpar, bridge;
  };
  std::deque<Race> races_;
  std::size_t forgotten_ = 0;
};

}  // namespace tulpar::demo
