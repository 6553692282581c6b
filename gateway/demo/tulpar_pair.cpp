// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/tulpar_pair.hpp"

#include <fmt/format.h>

#include <fstream>

#include "config/load.hpp"
#include "gateway/demo/ports.hpp"
#include "gateway/link/enrolment.hpp"

namespace tulpar::demo {
namespace {

// The line that both daemons print once they serve.
constexpr std::string_view kReady = "\nready";
// Both create their stores; on a slow card that takes a while.
constexpr Millis kPatience = std::chrono::seconds(20);
// Somebody else may take a free port before a daemon does.
constexpr int kTries = 3;

Result<void> write(const std::filesystem::path& file, const std::string& text) {
  if (!(std::ofstream(file) << text)) return Error{fmt::format("{}: cannot be written", file.string())};
  return {};
}

}  // namespace

Result<std::unique_ptr<TulparPair>> TulparPair::start(const TulparOptions& options,
                                                      const PlainBridge::MakeLink& make_link,
                                                      const std::string& mosquitto) {
  std::unique_ptr<TulparPair> pair(new TulparPair);
  pair->setup_.directory = pair->directory_.path();
  pair->setup_.rate = options.rate;
  pair->setup_.page = options.page;
  pair->setup_.reset_day = reset_day_before(options.now);
  if (auto done = pair->start_brokers(mosquitto); !done) return done.error();
  if (auto done = pair->start_relay(options.program, make_link); !done) return done.error();
  if (auto done = pair->start_gateway(options.program); !done) return done.error();
  return pair;
}

config::Plan TulparPair::plan() const {
  return *config::parse_gateway(gateway_toml(setup_)).value.value().links.at(0).plan;
}

Result<void> TulparPair::start_brokers(const std::string& mosquitto) {
  for (auto* broker : {&net_, &site_}) {
    auto started = Broker::start(mosquitto, directory_.path() / (broker == &net_ ? "net.conf" : "site.conf"));
    if (!started) return started.error();
    broker->emplace(std::move(*started));
  }
  setup_.net_port = net_->port();
  setup_.site_port = site_->port();
  return {};
}

Result<void> TulparPair::start_relay(const std::string& program, const PlainBridge::MakeLink& make_link) {
  Error last;
  for (int i = 0; i < kTries; ++i) {
    setup_.relay_port = free_port();
    if (auto enrolled = enrol(make_link(setup_.relay_port)); !enrolled) return enrolled;
    if (auto written = write(setup_.relay_file(), relay_toml(setup_)); !written) return written;
    auto relay = ChildProcess::start({program, "relay", "--config", setup_.relay_file()}, kReady, kPatience);
    if (relay) {
      relay_.emplace(std::move(*relay));
      return {};
    }
    last = relay.error();
  }
  return last;
}

// As `tulpar enrol` does, before the relay runs, in a state that is still empty.
Result<void> TulparPair::enrol(std::uint16_t link_port) {
  std::filesystem::remove_all(setup_.relay_state());
  std::filesystem::create_directory(setup_.relay_state());
  link::EnrolmentBook book(setup_.relay_state());
  const auto enrolment = book.enrol(kGatewayName, fmt::format("127.0.0.1:{}", link_port));
  if (!enrolment) return enrolment.error();
  return write(setup_.enrolment_file(), enrolment->line() + "\n");
}

Result<void> TulparPair::start_gateway(const std::string& program) {
  std::filesystem::create_directory(setup_.gateway_state());
  for (;;) {
    const auto page = free_address(setup_.page);
    if (!page) return Error{"the page's address " + page.error().message};
    setup_.page = *page;
    if (auto written = write(setup_.gateway_file(), gateway_toml(setup_)); !written) return written;
    auto gateway =
        ChildProcess::start({program, "gateway", "--config", setup_.gateway_file()}, kReady, kPatience);
    if (gateway) {
      gateway_.emplace(std::move(*gateway));
      return {};
    }
    const auto still_free = free_address(*page);
    if (!still_free || *still_free == *page) return gateway.error();
  }
}

}  // namespace tulpar::demo
