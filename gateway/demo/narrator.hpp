// SPDX-License-Identifier: Apache-2.0
//
// Says in one sentence what just happened, as somebody would who stands beside the screen.
//
// Plain value, one owner: remembers what it has said. Pure: looks at one state after the other, oldest first.
#pragma once

#include <string>
#include <vector>

#include "gateway/demo/state.hpp"

namespace tulpar::demo {

class Narrator {
 public:
  // The latest news, at most 79 columns; never empty.
  const std::string& note(const DemoState& state);

 private:
  struct Told {
    bool tulpar = false, bridge = false;
  };
  bool is_news(const RaceView& race);

  std::string note_;
  std::vector<Told> races_;  // by number
  bool link_up_ = true;
  bool tulpar_through_ = false, bridge_through_ = false;
};

}  // namespace tulpar::demo
