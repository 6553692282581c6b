// SPDX-License-Identifier: Apache-2.0
#include "queue/forecast.hpp"

#include <algorithm>
#include <limits>

namespace tulpar::queue {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr Millis kLeast = std::chrono::days{3};
constexpr int kLeastPart = 10;  // of the cycle

// value × numerator / denominator, at most `limit`.
std::uint64_t scale(std::uint64_t value, Millis numerator, std::uint64_t denominator, std::uint64_t limit) {
  const Wide result = static_cast<Wide>(value) * static_cast<std::uint64_t>(numerator.count()) / denominator;
  return result > limit ? limit : static_cast<std::uint64_t>(result);
}

}  // namespace

std::optional<Forecast> forecast(const CycleBounds& cycle, WallTime counted_since, WallTime now,
                                 config::ByteSize used, std::optional<config::ByteSize> volume) {
  now = std::min(now, cycle.end);
  const Millis counted = now - std::max(counted_since, cycle.begin);
  const Millis left = cycle.end - now;
  if (counted < kLeast || counted * kLeastPart < cycle.end - cycle.begin) return std::nullopt;

  constexpr auto kMost = std::numeric_limits<config::ByteSize>::max();
  Forecast result;
  result.at_end = used + scale(used, left, static_cast<std::uint64_t>(counted.count()), kMost - used);
  if (!volume) return result;
  if (used >= *volume) {
    result.runs_out = now;
  } else if (result.at_end > *volume) {
    const auto until = scale(*volume - used, counted, used, static_cast<std::uint64_t>(left.count()));
    result.runs_out = now + Millis{static_cast<Millis::rep>(until)};
  }
  return result;
}

}  // namespace tulpar::queue
