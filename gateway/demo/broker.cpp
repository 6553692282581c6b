// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/broker.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <fstream>

#include "gateway/demo/ports.hpp"

namespace tulpar::demo {
namespace {

constexpr Millis kPatience = std::chrono::seconds(10);
// Somebody else may take a free port before mosquitto does.
constexpr int kTries = 3;
constexpr std::string_view kReady = " running";

// As root mosquitto would change its user, and with that lose the signal that ends it after us.
std::string configuration(std::uint16_t port, const std::string& more) {
  return fmt::format(
      "log_dest stderr\nallow_anonymous true\npersistence false\n{}listener {} 127.0.0.1\nmax_queued_messages "
      "0\n{}",
      geteuid() == 0 ? "user root\n" : "", port, more);
}

}  // namespace

Result<Broker> Broker::start(const std::string& mosquitto, const std::filesystem::path& file,
                             const More& more) {
  if (access(mosquitto.c_str(), X_OK) != 0) {
    return Error{fmt::format("{} is not there: install the package mosquitto", mosquitto)};
  }
  Error last;
  for (int i = 0; i < kTries; ++i) {
    const std::uint16_t port = free_port();
    if (!(std::ofstream(file) << configuration(port, more()))) {
      return Error{fmt::format("{}: cannot be written", file.string())};
    }
    auto process = ChildProcess::start({mosquitto, "-c", file.string()}, kReady, kPatience);
    if (process) return Broker(std::move(*process), port);
    last = process.error();
  }
  return last;
}

}  // namespace tulpar::demo
