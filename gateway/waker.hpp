// SPDX-License-Identifier: Apache-2.0
//
// The one timer of an assembled program: runs `step` when something asks for it or when the time that `next`
// names has come.
//
// On the loop thread. The pure parts own no timers; they say when they want to be looked at, and this is who
// looks.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>

#include "config/base.hpp"

namespace tulpar {

class Waker {
 public:
  Waker(boost::asio::io_context& loop, const Clock& clock, std::function<void()> step,
        std::function<std::optional<BootTime>()> next)
      : loop_(&loop), clock_(&clock), step_(std::move(step)), next_(std::move(next)), timer_(loop) {}

  // Runs step() soon; many kicks before it are one.
  void kick() {
    if (kicked_ || stopped_) return;
    kicked_ = true;
    boost::asio::post(*loop_, [this, alive = std::weak_ptr<int>(alive_)] {
      if (alive.expired()) return;
      kicked_ = false;
      run();
    });
  }
  void stop() {
    stopped_ = true;
    timer_.cancel();
  }

 private:
  void run() {
    if (stopped_) return;
    step_();
    const auto at = next_();
    if (!at || stopped_) {
      timer_.cancel();
      return;
    }
    // Never sooner than a millisecond: what is due now was just looked at.
    timer_.expires_after(std::max(*at - clock_->now(), Millis{1}));
    timer_.async_wait([this](const boost::system::error_code& cancelled) {
      if (!cancelled) run();
    });
  }

  boost::asio::io_context* loop_;
  const Clock* clock_;
  std::function<void()> step_;
  std::function<std::optional<BootTime>()> next_;
  boost::asio::steady_timer timer_;
  bool kicked_ = false, stopped_ = false;
  std::shared_ptr<int> alive_ = std::make_shared<int>(0);
};

}  // namespace tulpar
