// SPDX-License-Identifier: Apache-2.0
//
// How long to wait before the next attempt to reach a broker, or to start one.
//
// Pure: knows no clock and no timer. Decorrelated jitter: each wait is drawn between the base and three times
// the last one, so that the clients of a broker that comes back do not all knock in the same second.
#pragma once

#include <functional>

#include "config/base.hpp"

namespace tulpar::bridge {

class Backoff {
 public:
  static constexpr Millis kBase{500};
  // Over a Unix socket: the broker is ours, and nobody else knocks.
  static constexpr Millis kLocalBase{50};
  static constexpr Millis kCap = std::chrono::seconds(30);
  // What worked this long was a success: the next wait is short again. One that fails at once over and over is
  // not.
  static constexpr Millis kSuccess = kCap;

  // Draws from [0, 1).
  using Uniform = std::function<double()>;
  explicit Backoff(Uniform uniform, Millis base = kBase, Millis cap = kCap);

  // The wait before the next attempt: base..cap.
  Millis next();
  void reset() { last_ = base_; }

 private:
  Uniform uniform_;
  Millis base_, cap_, last_;
};

// A generator of its own, seeded by the system.
Backoff::Uniform random_uniform();

}  // namespace tulpar::bridge
