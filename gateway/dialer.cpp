// SPDX-License-Identifier: Apache-2.0
#include "gateway/dialer.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>

namespace tulpar {

Millis DialPace::next(Millis cap) {
  std::uniform_int_distribution<std::int64_t> between(kBase.count(),
                                                      std::max(kBase.count(), last_.count() * 3));
  last_ = std::min(Millis{between(random_)}, cap);
  return last_;
}

LinkDialer::LinkDialer(boost::asio::io_context& loop, const Clock& clock, link::Enrolment enrolment,
                       link::TlsOptions options, std::function<void()> wake)
    : loop_(&loop),
      clock_(&clock),
      enrolment_(std::move(enrolment)),
      options_(options),
      wake_(std::move(wake)),
      pace_(std::random_device{}()) {}

void LinkDialer::set_peer(link::LinkPeer* peer) {
  peer_ = peer;
  wake_();
}

void LinkDialer::on_disconnected(bool refused) {
  if (!refused && clock_->now() - connected_at_ >= kHeld) {
    pace_.reset();
    failing_since_.reset();
  }
  wait(refused);
}

void LinkDialer::wait(bool refused) {
  const BootTime now = clock_->now();
  if (!failing_since_) failing_since_ = now;
  const bool urgent = peer_ && peer_->emergencies() > 0;
  Millis cap = now - *failing_since_ >= DialPace::kLongOutage && !urgent ? DialPace::kLongCap : DialPace::kCap;
  if (refused && !urgent) cap = DialPace::kRefusedCap;
  not_before_ = now + pace_.next(cap);
  wake_();
}

void LinkDialer::mind_emergencies() {
  const std::size_t waiting = peer_->emergencies();
  if (waiting > known_) quick_attempts_ = kQuickAttempts;
  if (waiting == 0) quick_attempts_ = 0;
  known_ = waiting;
  if (quick_attempts_ > 0) not_before_ = std::min(not_before_, dialled_at_ + kNewEmergency);
}

void LinkDialer::step() {
  if (peer_) known_ = std::min(known_, peer_->emergencies());
  if (stopped_ || !peer_ || dial_ || peer_->connected() || !peer_->may_connect()) return;
  mind_emergencies();
  if (clock_->now() < not_before_) return;
  dialled_at_ = clock_->now();
  quick_attempts_ = std::max(quick_attempts_ - 1, 0);
  dial_ = std::make_unique<link::TlsDialer>(
      *loop_, *clock_, enrolment_, options_,
      [this](std::shared_ptr<link::Transport> transport) {
        problem_.clear();
        connected_at_ = clock_->now();
        peer_->attach(std::move(transport));
        boost::asio::post(*loop_, [dial = std::shared_ptr(std::move(dial_))] {});
        wake_();
      },
      [this](const link::DialFailure& failure) {
        if (failure.why != problem_) spdlog::warn("link: {}", failure.why);
        problem_ = failure.why;
        peer_->book_failed_attempt(failure.wire);
        boost::asio::post(*loop_, [dial = std::shared_ptr(std::move(dial_))] {});
        wait(failure.refused);
      });
}

std::optional<BootTime> LinkDialer::next_wake() const {
  if (stopped_ || !peer_ || dial_ || peer_->connected() || !peer_->may_connect()) return std::nullopt;
  return not_before_;
}

void LinkDialer::stop() {
  stopped_ = true;
  dial_.reset();
}

}  // namespace tulpar
