// SPDX-License-Identifier: Apache-2.0
//
// What the demo has to show, as values: two lanes over two equal links, and the races between them.
//
// Plain values, any thread. Bytes are those of the provider's meter (link_model.hpp), both directions.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "config/base.hpp"
#include "config/types.hpp"

namespace tulpar::demo {

// A message in a few words: "Айгүл: свет есть", "Дамир: position".
struct FeedLine {
  std::string text;
  bool human = false;     // a person wrote it
  std::uint64_t run = 1;  // messages of machines in a row, of which this is the last
};

// One of the two ways.
struct LaneView {
  std::uint64_t waiting = 0;    // taken from the mesh, not yet out on the internet
  std::uint64_t delivered = 0;  // out on the internet
  std::uint64_t human = 0;      // of all, delivered or not, what people wrote
  std::uint64_t human_delivered = 0;
  std::uint64_t replaced = 0;  // left out because a newer one of the same node and kind went
  std::uint64_t wire_up = 0;   // bytes at IP level, as the provider counts
  std::uint64_t wire_down = 0;
  config::Money cost = 0;       // of both at the example price
  bool flying = false;          // something is on its way up
  std::deque<FeedLine> latest;  // delivered, the newest first

  std::uint64_t wire() const { return wire_up + wire_down; }
  // Bytes on the wire for each delivered message, set-up and all; 0: none is delivered.
  double each() const {
    return delivered == 0 ? 0 : static_cast<double>(wire()) / static_cast<double>(delivered);
  }
};

// Something that people wait for, on both ways at once.
struct RaceView {
  std::size_t number = 0;  // of this demo, from 0
  enum class Kind : std::uint8_t { kSos, kReply } kind = Kind::kSos;
  std::string sent_at;           // "14:03:10"
  std::string words;             // "Асан: child with high fever"
  Millis age{0};                 // since it was sent
  std::optional<Millis> tulpar;  // how long it took; none: still under way
  std::optional<Millis> bridge;
  std::uint64_t tulpar_passed = 0;  // messages that waited when it came, and that it overtook
  std::uint64_t bridge_ahead = 0;   // messages still before it
};

struct DemoState {
  LaneView tulpar, bridge;
  std::vector<RaceView> races;  // oldest first
  int nodes = 0;
  std::uint64_t rate = 0;  // bit/s
  Millis delay{0};
  double loss = 0;
  bool link_up = true;
  Millis running{0};
  std::uint64_t backlog = 0;  // messages that waited already when it began, on either side ...
  Millis away{0};             // ... because the satellite had been away for so long
  std::string currency = "USD";
  config::Money price_per_mb = 0;
  std::string page;       // the gateway's page with its one-time code; empty: none
  std::string page_note;  // why it is not where it was asked for; empty: it is
  std::string note;       // the latest news, one line; empty: none
};

}  // namespace tulpar::demo
