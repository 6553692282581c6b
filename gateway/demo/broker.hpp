// SPDX-License-Identifier: Apache-2.0
//
// A mosquitto of our own on a free loopback port: plain MQTT, anonymous, nothing on disk but its configuration.
//
// Thread rule: start on a thread that lives as long as it does (see ChildProcess). Owns the process; the caller
// owns the directory.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "gateway/demo/child_process.hpp"

namespace tulpar::demo {

// Debian's; not in every user's PATH.
inline constexpr const char* kMosquitto = "/usr/sbin/mosquitto";

class Broker {
 public:
  // Further lines of the configuration; asked anew on each try, so that ports in them can be other ones.
  using More = std::function<std::string()>;

  // Blocks until it serves (about 20 ms). Writes `file`. An error says what to install, or what mosquitto
  // complained of.
  static Result<Broker> start(
      const std::string& mosquitto, const std::filesystem::path& file, const More& more = [] { return ""; });

  std::uint16_t port() const { return port_; }
  bool running() const { return process_.running(); }
  pid_t pid() const { return process_.pid(); }
  void terminate() { process_.terminate(); }

 private:
  Broker(ChildProcess process, std::uint16_t port) : process_(std::move(process)), port_(port) {}
  ChildProcess process_;
  std::uint16_t port_;
};

}  // namespace tulpar::demo
