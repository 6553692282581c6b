// SPDX-License-Identifier: Apache-2.0
//
// Decides when the next frame may leave: at the link's rate, with at most one bandwidth-delay product and a
// frame outside our hands, so that what is urgent finds the modem's buffer nearly empty.
//
// Pure, on the loop thread. The configured rate is only the start: it is lowered to what was really delivered
// whenever the window held us back, and probed upwards while the link keeps up without queueing. Bytes are wire
// bytes (IP level).
#pragma once

#include <optional>

#include "config/base.hpp"

namespace tulpar::link {

class Pacer {
 public:
  // rate: bits a second up, 300..1e9.
  explicit Pacer(std::uint64_t rate_bps) : rate_(rate_bps) {}

  struct Sample {
    std::uint64_t delivered = 0;    // wire bytes acknowledged so far, counted from any start
    std::uint64_t outstanding = 0;  // wire bytes handed over and not acknowledged
    Millis rtt{0}, min_rtt{0};      // 0: not measured yet
  };
  void sample(BootTime now, const Sample& sample);
  void sent(BootTime now, std::size_t wire_bytes);
  // There was nothing to send: what is delivered now says nothing about the rate.
  void idle() { busy_since_.reset(); }

  bool can_send(BootTime now) const { return now >= free_at_ && outstanding_ < window(); }
  // When can_send() may turn true; REQUIRES: it is false. While the window holds us back: soon, as
  // acknowledgements make no event.
  BootTime next_wake(BootTime now) const;
  // Bytes that leave in 200 ms.
  std::size_t frame_bytes() const { return static_cast<std::size_t>(rate_ / 8 / 5); }
  std::uint64_t rate_bps() const { return rate_; }

 private:
  std::uint64_t window() const;

  std::uint64_t rate_;
  BootTime free_at_{};
  std::uint64_t outstanding_ = 0;
  Millis rtt_{0}, min_rtt_{0};
  // The measurement under way: since when we were busy without a pause, and what had been delivered then.
  std::optional<BootTime> busy_since_;
  std::uint64_t delivered_then_ = 0, delivered_ = 0;
  bool window_held_ = false;
};

}  // namespace tulpar::link
