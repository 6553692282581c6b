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

// Decorrelated jitter: each wait is drawn between the base and three times the one before, up to the cap.
class DialPace {
 public:
  explicit DialPace(std::uint64_t seed) : random_(seed) {}
  Millis next();
  void reset() { last_ = kBase; }
  // A dish that was moved into view answers at once; one that waits 30 s more costs nobody a byte.
  static constexpr Millis kBase{300}, kCap{30'000};

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
  void on_disconnected(bool was_greeted);
  void step();
  std::optional<BootTime> next_wake() const;
  void stop();
  // Of the last failed attempt; empty when connected.
  const std::string& problem() const { return problem_; }
  bool dialling() const { return dial_ != nullptr; }

 private:
  boost::asio::io_context* loop_;
  const Clock* clock_;
  link::Enrolment enrolment_;
  link::TlsOptions options_;
  std::function<void()> wake_;
  link::LinkPeer* peer_ = nullptr;
  std::unique_ptr<link::TlsDialer> dial_;
  DialPace pace_;
  BootTime not_before_{};
  std::string problem_;
  bool stopped_ = false;
};

}  // namespace tulpar
