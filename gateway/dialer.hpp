// SPDX-License-Identifier: Apache-2.0
//
// Keeps the gateway's link up: dials, hands the transport to the peer, waits longer after each failure.
//
// On the loop thread; owned by the appliance, which calls step() at next_wake(). Pure but for the dialling
// itself.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <random>

#include "gateway/link/peer.hpp"
#include "gateway/link/transport/tls.hpp"

namespace tulpar {

// Decorrelated jitter: each wait is drawn between the base and three times the one before, up to a cap.
class DialPace {
 public:
  explicit DialPace(std::uint64_t seed) : random_(seed) {}
  Millis next(Millis cap);
  void reset() { last_ = kBase; }
  static constexpr Millis kBase{300};
  // An outage of minutes is every day's: then nobody waits long for its end. Each attempt costs up to four SYNs
  // (240 bytes) though, so after ten minutes they become rarer, unless an SOS waits.
  static constexpr Millis kCap{30'000}, kLongCap = std::chrono::minutes(5);
  static constexpr Millis kLongOutage = std::chrono::minutes(10);
  // Who is not wanted (revoked, another box with the same enrolment) pays a kilobyte for each try.
  static constexpr Millis kRefusedCap = std::chrono::minutes(15);

 private:
  std::mt19937_64 random_;
  Millis last_ = kBase;
};

class LinkDialer {
 public:
  LinkDialer(boost::asio::io_context& loop, const Clock& clock, link::Enrolment enrolment,
             link::TlsOptions options, std::function<void()> wake);

  // The peer must outlive the dialer, or be set to nullptr before it goes.
  void set_peer(link::LinkPeer* peer);
  // The session is over. `refused`: the other side ended it and will not have us back soon.
  void on_disconnected(bool refused);
  void step();
  std::optional<BootTime> next_wake() const;
  void stop();
  // Of the last failed attempt; empty when connected.
  const std::string& problem() const { return problem_; }
  bool dialling() const { return dial_ != nullptr; }

  // A session that held so long was no mistake: the next try may be at once.
  static constexpr Millis kHeld = std::chrono::minutes(1);
  // An emergency that came since the last attempt does not wait for the pause to end: so many attempts are so
  // long apart. One may not be enough: a relay whose disk is full ends a session over whatever comes first.
  static constexpr Millis kNewEmergency = std::chrono::seconds(2);
  static constexpr int kQuickAttempts = 3;

 private:
  void wait(bool refused);
  void mind_emergencies();

  boost::asio::io_context* loop_;
  const Clock* clock_;
  link::Enrolment enrolment_;
  link::TlsOptions options_;
  std::function<void()> wake_;
  link::LinkPeer* peer_ = nullptr;
  std::unique_ptr<link::TlsDialer> dial_;
  DialPace pace_;
  BootTime not_before_{};
  BootTime dialled_at_{};
  std::size_t known_ = 0;   // emergencies that waited when last asked
  int quick_attempts_ = 0;  // left
  BootTime connected_at_{};
  std::optional<BootTime> failing_since_;
  std::string problem_;
  bool stopped_ = false;
};

}  // namespace tulpar
