// SPDX-License-Identifier: Apache-2.0
//
// Decides when the next frame may leave: at the link's rate, with at most one bandwidth-delay product and a
// frame outside our hands, so that what is urgent finds the modem's buffer nearly empty.
//
// Pure, on the loop thread. The configured rate is only the start. As in BBR (Cardwell et al., 2016) the rate
// is the most that was delivered in one of the last few intervals in which there was always something to send,
// and now and then a little more is tried. Loss alone lowers nothing. Bytes are wire bytes (IP level).
#pragma once

#include <array>
#include <optional>

#include "config/base.hpp"

namespace tulpar::link {

class Pacer {
 public:
  // rate: bits a second up, 300..1e9.
  explicit Pacer(std::uint64_t rate_bps) : rate_(rate_bps) {}

  struct Sample {
    std::uint64_t delivered = 0;    // wire bytes that have arrived so far, in any order, counted from any start
    std::uint64_t outstanding = 0;  // wire bytes handed over that have neither arrived nor are known to be lost
    Millis min_rtt{0};              // 0: not measured yet
  };
  void sample(BootTime now, const Sample& sample);
  void sent(BootTime now, std::size_t wire_bytes);
  // There was nothing to send: what is delivered now says nothing about the rate.
  void idle();

  bool can_send(BootTime now) const { return now >= free_at_ && outstanding_ < window(); }
  // When can_send() may turn true; REQUIRES: it is false. While the window holds us back: soon, as
  // acknowledgements make no event.
  BootTime next_wake(BootTime now) const;
  // Bytes that leave in 200 ms.
  std::size_t frame_bytes() const { return static_cast<std::size_t>(rate_ / 8 / 5); }
  std::uint64_t rate_bps() const { return rate_; }

 private:
  // Intervals, each of two seconds or a round trip, whose best counts. More would bear a link that pauses, but
  // follow one that became slower too late.
  static constexpr std::size_t kIntervals = 5;
  std::uint64_t window() const;
  Millis round_trip() const;
  void end_interval(Millis span);

  std::uint64_t rate_;
  BootTime free_at_{};
  std::uint64_t outstanding_ = 0, delivered_ = 0;
  Millis min_rtt_{0};
  bool busy_ = false;  // without a pause
  // The interval under way, and what had been delivered then.
  std::optional<BootTime> interval_began_;
  std::uint64_t delivered_then_ = 0;
  std::array<std::uint64_t, kIntervals> best_{};  // bits a second
  std::size_t count_ = 0;                         // of intervals so far
};

}  // namespace tulpar::link
