// SPDX-License-Identifier: Apache-2.0
//
// One of the two ways from the mesh to the internet and back, whoever carries it: what goes in at either end,
// what comes out at the other.
//
// Thread rule: made, used and destroyed on the executor's one thread; news arrives there too. Owns the two MQTT
// clients, not the brokers.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "gateway/demo/mesh_simulator.hpp"
#include "gateway/demo/mqtt_tap.hpp"
#include "gateway/demo/tally.hpp"

namespace tulpar::demo {

struct LanePlaces {
  std::uint16_t site_port = 0, net_port = 0;  // the brokers
  // What a reply's topic gets in front on the internet, and what it then has at the site.
  std::string reply_prefix{}, reply_prefix_at_site{};
};

class Lane {
 public:
  // Called for each message that came out at its far end, once. Must not destroy the lane.
  using OnOut = std::function<void(MessageKey key)>;

  // Blocks until both brokers took the connection. `reply_topic`: of every reply. An error names the broker.
  static Result<std::unique_ptr<Lane>> connect(boost::asio::any_io_executor executor, const LanePlaces& places,
                                               const std::string& reply_topic, OnOut on_out);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // From here on nothing that comes out is missed.
  bool listening() const { return site_->subscribed() && net_->subscribed(); }
  bool connected() const { return site_->connected() && net_->connected(); }
  Result<void> publish(const MeshMessage& message, FeedLine line);
  Result<void> reply(const MeshMessage& message);
  // Of what the mesh published.
  const Tally& tally() const { return tally_; }

 private:
  Lane(LanePlaces places, OnOut on_out) : places_(std::move(places)), on_out_(std::move(on_out)) {}

  LanePlaces places_;
  OnOut on_out_;
  Tally tally_;
  std::unique_ptr<MqttTap> site_, net_;
};

}  // namespace tulpar::demo
