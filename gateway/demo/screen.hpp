// SPDX-License-Identifier: Apache-2.0
//
// What the demo shows in the terminal: two columns, Tulpar and the plain bridge, over the same link at the same
// time.
//
// Pure: a state goes in, text comes out; any thread. Needs UTF-8 and, with colour, a 16-colour ANSI terminal.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/base.hpp"
#include "config/types.hpp"

namespace tulpar::demo {

// One of the two ways.
struct LaneView {
  std::uint64_t waiting = 0;    // taken from the mesh, not yet out on the internet
  std::uint64_t delivered = 0;  // out on the internet
  std::uint64_t replaced = 0;   // left out because a newer one of the same node and kind went
  std::uint64_t wire_up = 0;    // bytes at IP level, as the provider counts
  std::uint64_t wire_down = 0;
  config::Money cost = 0;  // of both at the example price
};

// Something that people wait for, on both ways at once.
struct RaceView {
  enum class Kind : std::uint8_t { kSos, kReply } kind = Kind::kSos;
  std::string sent_at;           // "14:03:10"
  std::string who;               // "Асан, !7efeee00"
  Millis age{0};                 // since it was sent
  std::optional<Millis> tulpar;  // how long it took; none: still under way
  std::optional<Millis> bridge;
  std::uint64_t tulpar_ahead = 0;  // messages before it, while under way
  std::uint64_t bridge_ahead = 0;
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
  std::string currency = "USD";
  config::Money price_per_mb = 0;
  std::string page;  // the gateway's page with its one-time code; empty: none
  std::string note;  // the latest news, one line; empty: none
};

// At most `height` lines of exactly `width` columns, divided by '\n'. From 60 x 15 on it shows all that
// matters.
std::string render(const DemoState& state, std::size_t width, std::size_t height, bool colour);

// The same text as what a terminal must be sent to show it in place, without flicker.
std::string repaint(const std::string& text);

// One line for logs, pipes and dumb terminals.
std::string summary(const DemoState& state);

}  // namespace tulpar::demo
