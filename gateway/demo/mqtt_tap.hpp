// SPDX-License-Identifier: Apache-2.0
//
// A plain MQTT client at a broker on this machine: publishes what the simulated mesh says, and hears what came
// out.
//
// Thread rule: made, used and destroyed on the executor's one thread; messages arrive there too. Nothing is
// stored: what was not yet acknowledged is lost with it. Not for the gateway's own traffic, which needs more
// (bridge/).
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/base.hpp"

namespace tulpar::demo {

class MqttTap {
 public:
  using OnMessage = std::function<void(std::string_view topic, ByteView payload)>;

  // Connects to 127.0.0.1:`port` (blocks for it) and subscribes to `filters` with QoS 1. `on_message` must not
  // destroy the tap. An error names port and cause.
  static Result<std::unique_ptr<MqttTap>> connect(boost::asio::any_io_executor executor, std::uint16_t port,
                                                  const std::string& client_id,
                                                  const std::vector<std::string>& filters,
                                                  OnMessage on_message);
  ~MqttTap();
  MqttTap(const MqttTap&) = delete;
  MqttTap& operator=(const MqttTap&) = delete;

  // QoS 1; queued here while the broker has twenty unacknowledged.
  Result<void> publish(const std::string& topic, ByteView payload);
  // Publications that the broker has not acknowledged.
  std::size_t unacknowledged() const;
  // The broker granted the subscriptions: from here on nothing is missed.
  bool subscribed() const;
  bool connected() const;

 private:
  struct State;
  explicit MqttTap(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace tulpar::demo
