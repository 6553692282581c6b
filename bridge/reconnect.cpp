// SPDX-License-Identifier: Apache-2.0
#include "bridge/reconnect.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace tulpar::bridge {

Backoff::Backoff(Uniform uniform, Millis base, Millis cap)
    : uniform_(std::move(uniform)), base_(base), cap_(cap), last_(base) {}

Millis Backoff::next() {
  const double spread = static_cast<double>((3 * last_ - base_).count());
  last_ = std::min(cap_, base_ + Millis{static_cast<Millis::rep>(uniform_() * spread)});
  return last_;
}

Backoff::Uniform random_uniform() {
  return [engine = std::minstd_rand{std::random_device{}()}]() mutable {
    return std::uniform_real_distribution<double>{0.0, 1.0}(engine);
  };
}

}  // namespace tulpar::bridge
