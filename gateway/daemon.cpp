// SPDX-License-Identifier: Apache-2.0
#include "gateway/daemon.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <csignal>
#include <cstdlib>

namespace tulpar {

void set_up_log() {
  auto log = spdlog::stderr_logger_st("tulpar");
  log->set_pattern(std::getenv("JOURNAL_STREAM") ? "%l: %v" : "%Y-%m-%d %H:%M:%S %l: %v");
  spdlog::set_default_logger(log);
}

Daemon::Daemon(boost::asio::io_context& loop, Handlers handlers)
    : signals_(loop, SIGTERM, SIGINT, SIGHUP), watchdog_(loop), handlers_(std::move(handlers)) {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) > 0) watchdog_every_ = std::chrono::microseconds(microseconds / 3);
  await_signal();
}

void Daemon::await_signal() {
  signals_.async_wait([this](const boost::system::error_code& cancelled, int signal) {
    if (cancelled) return;
    if (signal == SIGHUP) {
      sd_notify(0, "RELOADING=1");
      handlers_.reload();
      sd_notify(0, "READY=1");
      return await_signal();
    }
    spdlog::info("stopping");
    sd_notify(0, "STOPPING=1");
    watchdog_.cancel();
    handlers_.stop();
  });
}

void Daemon::ready(const std::string& words) {
  fmt::print(stderr, "ready {}\n", words);
  std::fflush(stderr);
  sd_notify(0, "READY=1");
  if (watchdog_every_.count()) feed_watchdog();
}

void Daemon::feed_watchdog() {
  sd_notify(0, "WATCHDOG=1");
  watchdog_.expires_after(watchdog_every_);
  watchdog_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) feed_watchdog();
  });
}

}  // namespace tulpar
