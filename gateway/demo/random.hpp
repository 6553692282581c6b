// SPDX-License-Identifier: Apache-2.0
//
// A small seeded generator: the same seed gives the same numbers with every compiler and standard library.
//
// Thread rule: plain value, one owner. Not for secrets. The standard's distributions are left aside because
// their results differ between libraries, and a demo or a test must repeat exactly.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace tulpar::demo {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  // SplitMix64 (Steele, Lea and Flood 2014): one word of state, passes BigCrush.
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::uint32_t next32() { return static_cast<std::uint32_t>(next() >> 32); }

  // In [0, 1).
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  double between(double low, double high) { return low + (high - low) * uniform(); }
  // In [0, n); n > 0. The bias of the modulo is below 2^-40 for what is drawn here.
  std::uint64_t below(std::uint64_t n) { return next() % n; }
  bool chance(double probability) { return uniform() < probability; }

  // Mean 0, deviation 1.
  double normal() {
    return std::sqrt(-2.0 * std::log(1.0 - uniform())) * std::cos(2.0 * std::numbers::pi * uniform());
  }
  double exponential(double mean) { return -mean * std::log(1.0 - uniform()); }

 private:
  std::uint64_t state_;
};

}  // namespace tulpar::demo
