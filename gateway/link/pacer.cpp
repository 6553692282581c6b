// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/pacer.hpp"

#include <algorithm>

namespace tulpar::link {
namespace {

constexpr std::uint64_t kLeastRate = 300, kMostRate = 1'000'000'000;
// Shorter intervals see single frames, longer ones follow a change too late. This and the gains below are those
// of several tried on the simulated link of pacer_test.cpp with the highest use at the shortest wait.
constexpr Millis kLeastInterval{2000};
// How soon to look again while the window is full; TCP tells nobody when an acknowledgement arrives.
constexpr Millis kLookAgain{20};
// Before the first measurement: what a geostationary link has (ref: 550 to 700 ms).
constexpr Millis kAssumedRtt{600};
// A TCP may wait so long before it acknowledges (RFC 9293 allows 500 ms, Linux takes 40 to 200): without this
// in the window a link would stand idle meanwhile.
constexpr std::uint64_t kAckDelayMs = 80;
// A header takes its part of a slow link; below this a frame has no room for anything else.
constexpr std::uint64_t kLeastFrameOnWire = 200;
// Of the rate, in parts of a hundred: a little less than all drains the modem's buffer, and every sixth
// interval more is tried.
constexpr std::uint64_t kCruise = 95, kProbe = 125;
constexpr std::size_t kProbeEvery = 6;

}  // namespace

Millis Pacer::round_trip() const { return min_rtt_.count() ? min_rtt_ : kAssumedRtt; }

std::uint64_t Pacer::window() const {
  const auto covered = static_cast<std::uint64_t>(round_trip().count()) + kAckDelayMs;
  return rate_ * covered / 8000 + std::max<std::uint64_t>(frame_bytes(), kLeastFrameOnWire);
}

void Pacer::sent(BootTime now, std::size_t wire_bytes) {
  const std::uint64_t gain = count_ % kProbeEvery == kProbeEvery - 1 ? kProbe : kCruise;
  const Millis takes{static_cast<std::int64_t>(wire_bytes * 800'000 / (rate_ * gain))};
  // A call that comes late, up to a few timer ticks, is made good; a pause is not.
  free_at_ = std::max(free_at_, now - kLookAgain) + takes;
  outstanding_ += wire_bytes;
  busy_ = true;
}

void Pacer::idle() {
  busy_ = false;
  interval_began_.reset();
}

void Pacer::sample(BootTime now, const Sample& sample) {
  const bool arrived = sample.delivered > delivered_;
  delivered_ = sample.delivered;
  outstanding_ = sample.outstanding;
  min_rtt_ = sample.min_rtt;
  // From arrival to arrival: between two frames of a slow link any other moment would count one too many or too
  // few.
  if (!busy_ || !arrived) return;
  if (interval_began_) {
    const Millis span = now - *interval_began_;
    if (span < std::max(kLeastInterval, round_trip())) return;
    end_interval(span);
  }
  interval_began_ = now;
  delivered_then_ = delivered_;
}

void Pacer::end_interval(Millis span) {
  best_[count_++ % kIntervals] =
      (delivered_ - delivered_then_) * 8000 / static_cast<std::uint64_t>(span.count());
  const std::uint64_t best = *std::max_element(best_.begin(), best_.end());
  if (count_ < kIntervals) return;
  rate_ = std::clamp(best, std::max(kLeastRate, rate_ / 2), kMostRate);
}

BootTime Pacer::next_wake(BootTime now) const {
  if (outstanding_ >= window()) return std::max(free_at_, now + kLookAgain);
  return std::max(free_at_, now);
}

}  // namespace tulpar::link
