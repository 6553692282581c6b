// SPDX-License-Identifier: Apache-2.0
//
// What a daemon owes its surroundings: signals, the service manager's notifications and watchdog, the line that
// says `ready`.
//
// On the loop thread. The watchdog is fed as long as that thread turns; a disk that hangs is told on the page
// and by /healthz instead, because a restart would not mend it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <string>

namespace tulpar {

class Daemon {
 public:
  struct Handlers {
    std::function<void()> stop;    // SIGTERM, SIGINT
    std::function<void()> reload;  // SIGHUP
  };
  Daemon(boost::asio::io_context& loop, Handlers handlers);

  // Prints `ready WORDS` to standard error and tells the service manager.
  void ready(const std::string& words);

 private:
  void await_signal();
  void feed_watchdog();

  boost::asio::signal_set signals_;
  boost::asio::steady_timer watchdog_;
  std::chrono::microseconds watchdog_every_{0};
  Handlers handlers_;
};

// The log goes to standard error, without times under a service manager (journald has its own).
void set_up_log();

}  // namespace tulpar
