// SPDX-License-Identifier: Apache-2.0
#include "bridge/mqtt_listener.hpp"

#include "bridge/topic_filter.hpp"

namespace tulpar::bridge {
namespace {

MqttOptions listening(MqttOptions options) {
  options.client_id += "-live";
  options.session_expiry = 0;
  options.qos = 0;
  return options;
}

}  // namespace

MqttListener::MqttListener(boost::asio::io_context& loop, MqttOptions options, Heard heard)
    : heard_(std::move(heard)), client_(loop, listening(std::move(options)), *this) {
  client_.start();
}

void MqttListener::on_messages(std::vector<MqttMessage> group) {
  for (auto& message : group)
    if (!message.retain && message.tulpar_id.empty() && valid_topic(message.topic) &&
        message.topic.front() != '$')
      heard_(std::move(message));
}

}  // namespace tulpar::bridge
