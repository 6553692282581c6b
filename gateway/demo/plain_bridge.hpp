// SPDX-License-Identifier: Apache-2.0
//
// The peer in the demo: two private mosquitto brokers, one at the mesh, one on the internet, and between them
// mosquitto's own bridge with TLS 1.3 and QoS 1, through an emulated link. Configured well: nothing is dropped
// from its queue, no notifications, a persistent session.
//
// Thread rule: start on a thread that lives as long as it does (see ChildProcess). Owns the two processes and a
// temporary directory with their configuration and certificates; all go with it. Ports are free ones on
// loopback. Publish at the site only when its first packet is on the link: what mosquitto 2.0.11 is given
// between its start and its first attempt to connect stops its queue.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "config/base.hpp"
#include "gateway/demo/broker.hpp"
#include "gateway/demo/temp_dir.hpp"

namespace tulpar::demo {

class PlainBridge {
 public:
  // Given the port where the internet's broker takes bridges, returns the port of a link that leads there.
  using MakeLink = std::function<std::uint16_t(std::uint16_t port)>;

  // Blocks until both brokers serve (about 50 ms). An error says what is missing or what mosquitto complained
  // of.
  static Result<std::unique_ptr<PlainBridge>> start(const MakeLink& make_link,
                                                    const std::string& mosquitto = kMosquitto);

  // Plain MQTT, anonymous, loopback only. Up goes everything; from the internet comes what is under down/.
  std::uint16_t site_port() const { return site_->port(); }
  std::uint16_t net_port() const { return net_->port(); }
  bool running() const { return net_->running() && site_->running(); }
  // Asks all to end, without waiting.
  void terminate() {
    site_->terminate();
    net_->terminate();
  }
  pid_t site_pid() const { return site_->pid(); }
  pid_t net_pid() const { return net_->pid(); }

 private:
  PlainBridge() = default;
  TempDir directory_;  // first: goes last
  std::optional<Broker> net_, site_;
};

}  // namespace tulpar::demo
