// SPDX-License-Identifier: Apache-2.0
//
// A demo after a minute and a half, for tests of what is shown.
#pragma once

#include "gateway/demo/state.hpp"

namespace tulpar::demo {

inline DemoState sample_state() {
  DemoState s;
  s.tulpar = {.waiting = 12,
              .delivered = 2345,
              .replaced = 312,
              .wire_up = 112'563,
              .wire_down = 14'120,
              .cost = 633'000'000};
  s.bridge = {.waiting = 1214,
              .delivered = 812,
              .replaced = 0,
              .wire_up = 197'316,
              .wire_down = 81'200,
              .cost = 1'392'000'000};
  s.races.push_back({.kind = RaceView::Kind::kSos,
                     .sent_at = "14:03:10",
                     .words = "Асан: two people hurt by an avalanche, need a doctor",
                     .age = std::chrono::seconds(37),
                     .tulpar = Millis(900),
                     .bridge = std::nullopt,
                     .tulpar_passed = 1012,
                     .bridge_ahead = 1214});
  s.nodes = 40;
  s.rate = 9600;
  s.delay = Millis(300);
  s.loss = 0.02;
  s.running = std::chrono::seconds(83);
  s.price_per_mb = 5'000'000'000;
  s.page = "http://127.0.0.1:8480/#K7QX-22M9";
  return s;
}

}  // namespace tulpar::demo
