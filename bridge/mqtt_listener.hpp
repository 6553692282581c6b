// SPDX-License-Identifier: Apache-2.0
//
// Hears what is published at a broker just now, at QoS 0, and owes it nothing: no acknowledgement, no session.
//
// On the loop thread; `loop` must outlive it. For the time in which a MqttSource cannot acknowledge and so gets
// nothing new (MqttHandle::kReceiveMaximum). What a Tulpar published and what was retained is left out.
#pragma once

#include <functional>

#include "bridge/mqtt_client.hpp"

namespace tulpar::bridge {

class MqttListener final : private MqttClient::Handler {
 public:
  using Heard = std::function<void(MqttMessage)>;
  // `options` as the source has them; the client's name, the session and the QoS are changed here.
  MqttListener(boost::asio::io_context& loop, MqttOptions options, Heard heard);

 private:
  void on_connected(const MqttSession&) override {}
  void on_disconnected() override {}
  void on_messages(std::vector<MqttMessage> group) override;

  Heard heard_;
  MqttClient client_;
};

}  // namespace tulpar::bridge
