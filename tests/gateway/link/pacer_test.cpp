// SPDX-License-Identifier: Apache-2.0
//
// The pacer on a simulated bottleneck: a modem that sends at its own rate what it is given, a long way, and
// acknowledgements.
#include "gateway/link/pacer.hpp"

#include <algorithm>
#include <deque>

#include "tests/catch.hpp"

namespace tulpar::link {
namespace {

struct Path {
  std::uint64_t rate = 9600;  // what it really carries, bits a second
  Millis round_trip{600};     // without any waiting
  Millis ack_delay{40};       // of the peer's TCP
  double other = 0.08;        // share of the rate taken by what the pacer does not see: acknowledgements
  double lost = 0;            // share of frames that take another round trip and a second passage
};

struct Seen {
  double busy = 0;             // share of the time that the modem was sending
  Millis median{0}, worst{0};  // how long a new byte would have waited in the modem
};

class Bottleneck {
 public:
  Bottleneck(Path path, std::uint64_t configured) : path_(path), pacer_(configured) {
    // The handshake's small packets.
    min_rtt_ = path_.round_trip + takes(100);
  }

  // Keeps it full for `span`, and looks at what an urgent message would find in the last `looked_at`.
  Seen run(Millis span, Millis looked_at) {
    const BootTime end = now_ + span;
    std::vector<Millis> waits;
    Millis busy{0};
    for (; now_ < end; now_ += kTick) {
      acknowledge();
      pacer_.sample(now_, {delivered_, outstanding_, min_rtt_});
      while (pacer_.can_send(now_)) send(std::max<std::size_t>(pacer_.frame_bytes(), 320));
      if (now_ < end - looked_at) continue;
      if (free_at_ > now_) busy += kTick;
      waits.push_back(std::max(Millis{0}, free_at_ - now_));
    }
    std::sort(waits.begin(), waits.end());
    return {static_cast<double>(busy.count()) / static_cast<double>(looked_at.count()), waits[waits.size() / 2],
            waits[waits.size() * 95 / 100]};
  }
  void change_rate(std::uint64_t rate) { path_.rate = rate; }
  std::uint64_t believed() const { return pacer_.rate_bps(); }
  Pacer& pacer() { return pacer_; }
  BootTime now() const { return now_; }

 private:
  static constexpr Millis kTick{5};
  struct Frame {
    BootTime sent, acked;
    std::size_t bytes;
  };
  Millis takes(double bytes) const {
    return Millis{static_cast<std::int64_t>(bytes * 8000 / static_cast<double>(path_.rate))};
  }

  void send(std::size_t bytes) {
    pacer_.sent(now_, bytes);
    outstanding_ += bytes;
    ++frames_;
    const bool lost = path_.lost > 0 && frames_ % static_cast<std::uint64_t>(1 / path_.lost) == 0;
    free_at_ =
        std::max(free_at_, now_) + takes(static_cast<double>(bytes) * (lost ? 2 : 1) / (1 - path_.other));
    Millis way = path_.round_trip + path_.ack_delay;
    if (lost) way += path_.round_trip + Millis{200};
    under_way_.push_back({now_, free_at_ + way, bytes});
  }
  void acknowledge() {
    std::erase_if(under_way_, [&](const Frame& frame) {
      if (frame.acked > now_) return false;
      delivered_ += frame.bytes;
      outstanding_ -= frame.bytes;
      min_rtt_ = std::min(min_rtt_, now_ - frame.sent);
      return true;
    });
  }

  Path path_;
  Pacer pacer_;
  BootTime now_{std::chrono::hours(1)}, free_at_{};
  std::deque<Frame> under_way_;
  std::uint64_t delivered_ = 0, outstanding_ = 0, frames_ = 0;
  Millis min_rtt_;
};

constexpr Millis kLong = std::chrono::minutes(5), kLook = std::chrono::minutes(3);
constexpr std::uint64_t kRates[] = {2400, 9600, 64'000, 704'000, 10'000'000};

// A frame of this simulation, in the time that the modem takes for it.
Millis frame_time(std::uint64_t rate) {
  return std::max(Millis{200}, Millis{static_cast<std::int64_t>(320 * 8000 / rate)});
}

}  // namespace

TEST_CASE("pacer: a link is kept busy, and what is urgent finds little before it, whatever was configured") {
  for (const auto rate : kRates) {
    for (const double configured : {0.5, 1.0, 2.0}) {
      CAPTURE(rate, configured);
      Bottleneck link({.rate = rate}, static_cast<std::uint64_t>(static_cast<double>(rate) * configured));
      const Seen seen = link.run(kLong, kLook);
      CHECK(seen.busy > 0.95);
      CHECK(seen.median < Millis{50} + frame_time(rate));
      CHECK(seen.worst < Millis{100} + 2 * frame_time(rate));
      CHECK(link.believed() > rate * 80 / 100);
      CHECK(link.believed() < rate * 115 / 100);
    }
  }
}

TEST_CASE("pacer: random loss does not lower the rate") {
  for (const auto rate : kRates) {
    for (const double lost : {0.01, 0.03, 0.10}) {
      CAPTURE(rate, lost);
      Bottleneck link({.rate = rate, .lost = lost}, rate);
      const Seen seen = link.run(kLong, kLook);
      CHECK(seen.busy > 0.85);
      CHECK(seen.median < Millis{150} + frame_time(rate));
    }
  }
}

TEST_CASE("pacer: a link that becomes slower or faster is followed") {
  Bottleneck link({.rate = 64'000}, 64'000);
  link.run(kLong, kLook);
  link.change_rate(16'000);
  const Seen slower = link.run(std::chrono::minutes(1), std::chrono::seconds(30));
  CHECK(slower.busy > 0.95);
  CHECK(slower.worst < Millis{1000});
  link.change_rate(128'000);
  const Seen faster = link.run(std::chrono::minutes(5), std::chrono::minutes(1));
  CHECK(faster.busy > 0.9);
}

TEST_CASE("pacer: short bursts leave the configured rate as it is") {
  Bottleneck link({.rate = 64'000}, 9600);
  for (int burst = 0; burst < 50; ++burst) {
    link.run(Millis{300}, Millis{300});
    link.pacer().idle();
  }
  CHECK(link.believed() == 9600);
}

TEST_CASE("pacer: the next frame may leave when the one before has, and not beyond the window") {
  Pacer pacer(9600);
  const BootTime now{std::chrono::hours(1)};
  REQUIRE(pacer.can_send(now));
  pacer.sent(now, 240);
  CHECK_FALSE(pacer.can_send(now + Millis{100}));
  CHECK(pacer.next_wake(now) > now + Millis{150});
  CHECK(pacer.can_send(now + Millis{220}));
  // 600 ms are assumed, so 720 bytes and a little more.
  pacer.sample(now, {.delivered = 0, .outstanding = 2000, .min_rtt = Millis{0}});
  CHECK_FALSE(pacer.can_send(now + std::chrono::minutes(1)));
  pacer.sample(now, {.delivered = 0, .outstanding = 900, .min_rtt = Millis{0}});
  CHECK(pacer.can_send(now + std::chrono::minutes(1)));
  CHECK(pacer.frame_bytes() == 240);
}

}  // namespace tulpar::link
