// SPDX-License-Identifier: Apache-2.0
//
// Tulpar in the demo: relay and gateway as child processes of the same program, each with a broker, enrolled
// over the emulated link. Stands to the plain bridge as like to like (plain_bridge.hpp).
//
// Thread rule: start on a thread that lives as long as it does (see ChildProcess). Owns the four processes and
// a temporary directory with their configuration and state; all go with it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "gateway/demo/broker.hpp"
#include "gateway/demo/daemon_config.hpp"
#include "gateway/demo/plain_bridge.hpp"
#include "gateway/demo/temp_dir.hpp"

namespace tulpar::demo {

struct TulparOptions {
  std::string program;     // that has the commands `gateway` and `relay`
  config::BitRate rate{};  // of the link
  config::HostPort page;   // wanted; where that port is taken, it becomes a free one
  WallTime now{};
};

class TulparPair {
 public:
  // Blocks until both daemons serve (about a second). `make_link` leads to the relay; called anew where the
  // relay has to take another port. An error says what a daemon complained of.
  static Result<std::unique_ptr<TulparPair>> start(const TulparOptions& options,
                                                   const PlainBridge::MakeLink& make_link,
                                                   const std::string& mosquitto = kMosquitto);

  // Plain MQTT, anonymous, loopback only.
  std::uint16_t site_port() const { return site_->port(); }
  std::uint16_t net_port() const { return net_->port(); }
  // Where the gateway answers on its Unix socket.
  std::string socket() const { return setup_.gateway_state() / "tulpar.sock"; }
  const config::HostPort& page() const { return setup_.page; }
  // What the gateway believes that its bytes cost.
  config::Plan plan() const;
  bool running() const {
    return net_->running() && site_->running() && relay_->running() && gateway_->running();
  }
  // Asks all to end, without waiting.
  void terminate() {
    gateway_->terminate();
    relay_->terminate();
    site_->terminate();
    net_->terminate();
  }

 private:
  TulparPair() = default;
  Result<void> start_brokers(const std::string& mosquitto);
  Result<void> start_relay(const std::string& program, const PlainBridge::MakeLink& make_link);
  Result<void> enrol(std::uint16_t link_port);
  Result<void> start_gateway(const std::string& program);

  TempDir directory_;  // first: goes last
  DaemonSetup setup_;
  std::optional<Broker> net_, site_;
  std::optional<ChildProcess> relay_, gateway_;
};

}  // namespace tulpar::demo
