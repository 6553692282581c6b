// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/lane.hpp"

#include <utility>

namespace tulpar::demo {

Result<std::unique_ptr<Lane>> Lane::connect(boost::asio::any_io_executor executor, const LanePlaces& places,
                                            const std::string& reply_topic, OnOut on_out) {
  std::unique_ptr<Lane> lane(new Lane(places, std::move(on_out)));
  auto net = MqttTap::connect(executor, places.net_port, "demo-net", {"msh/#"},
                              [self = lane.get()](std::string_view, ByteView payload) {
                                const MessageKey key = key_of(payload);
                                if (self->tally_.arrived(key)) self->on_out_(key);
                              });
  if (!net) return net.error();
  auto site = MqttTap::connect(
      executor, places.site_port, "demo-site", {places.reply_prefix_at_site + reply_topic},
      [self = lane.get()](std::string_view, ByteView payload) { self->on_out_(key_of(payload)); });
  if (!site) return site.error();
  lane->net_ = std::move(*net);
  lane->site_ = std::move(*site);
  return lane;
}

Result<void> Lane::publish(const MeshMessage& message, FeedLine line) {
  tally_.published(key_of(message.payload), std::move(line));
  return site_->publish(message.topic, message.payload);
}

Result<void> Lane::reply(const MeshMessage& message) {
  return net_->publish(places_.reply_prefix + message.topic, message.payload);
}

}  // namespace tulpar::demo
