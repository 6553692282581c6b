// SPDX-License-Identifier: Apache-2.0
//
// The real monotonic clock, for tests that must wait on real sockets.
#pragma once

#include <chrono>
#include <string>

#include "config/base.hpp"

namespace tulpar::demo {

class SteadyClock : public Clock {
 public:
  BootTime now() const override {
    return BootTime(std::chrono::duration_cast<Millis>(std::chrono::steady_clock::now().time_since_epoch()));
  }
  WallTime wall() const override { return {}; }
  bool trusted() const override { return false; }
  std::string boot_id() const override { return "test"; }
};

}  // namespace tulpar::demo
