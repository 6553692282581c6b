// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/pacer.hpp"

#include <algorithm>

namespace tulpar::link {
namespace {

constexpr std::uint64_t kLeastRate = 300, kMostRate = 1'000'000'000;
// A measurement spans two round trips, and at least a second: shorter ones see single frames.
constexpr Millis kLeastSpan{1000};
// How soon to look again while the window is full; TCP tells nobody when an acknowledgement arrives.
constexpr Millis kLookAgain{20};
// Before the first measurement: what a geostationary link has (ref: 550 to 700 ms).
constexpr Millis kAssumedRtt{600};

}  // namespace

std::uint64_t Pacer::window() const {
  const Millis rtt = min_rtt_.count() ? min_rtt_ : kAssumedRtt;
  return rate_ * static_cast<std::uint64_t>(rtt.count()) / 8000 + frame_bytes() + 1500;
}

void Pacer::sent(BootTime now, std::size_t wire_bytes) {
  const Millis takes{static_cast<std::int64_t>(wire_bytes * 8000 / rate_)};
  free_at_ = std::max(free_at_, now) + takes;
  outstanding_ += wire_bytes;
  if (!busy_since_) {
    busy_since_ = now;
    delivered_then_ = delivered_;
    window_held_ = false;
  }
}

void Pacer::sample(BootTime now, const Sample& sample) {
  delivered_ = sample.delivered;
  outstanding_ = sample.outstanding;
  rtt_ = sample.rtt;
  min_rtt_ = sample.min_rtt;
  if (!busy_since_) return;
  window_held_ = window_held_ || outstanding_ >= window();
  const Millis span = now - *busy_since_;
  if (span < std::max(kLeastSpan, 2 * rtt_)) return;

  const std::uint64_t delivered =
      (delivered_ - delivered_then_) * 8000 / static_cast<std::uint64_t>(span.count());
  const Millis frame_time{200};
  if (window_held_ && delivered < rate_)
    rate_ = std::clamp(std::max(delivered, rate_ / 2), kLeastRate, kMostRate);
  else if (!window_held_ && delivered * 10 >= rate_ * 8 && rtt_ <= min_rtt_ * 5 / 4 + frame_time)
    rate_ = std::clamp(rate_ + rate_ / 20, kLeastRate, kMostRate);
  busy_since_ = now;
  delivered_then_ = delivered_;
  window_held_ = false;
}

BootTime Pacer::next_wake(BootTime now) const {
  if (outstanding_ >= window()) return std::max(free_at_, now + kLookAgain);
  return std::max(free_at_, now);
}

}  // namespace tulpar::link
