// SPDX-License-Identifier: Apache-2.0
#include "bridge/mqtt_outgoing.hpp"

#include <fmt/format.h>
#include <mqtt_protocol.h>

#include "bridge/topic_filter.hpp"

namespace tulpar::bridge {
namespace {

constexpr std::string_view kGateway = "{gateway}";

// Bytes of a variable byte integer (MQTT 5.0, 1.5.5).
std::size_t varint_size(std::size_t value) {
  return value < 128 ? 1 : value < 16'384 ? 2 : value < 2'097'152 ? 3 : 4;
}

}  // namespace

Result<std::string> outgoing_topic(std::string_view prefix, std::string_view gateway, std::string_view topic) {
  std::string whole(prefix);
  for (auto at = whole.find(kGateway); at != std::string::npos;
       at = whole.find(kGateway, at + gateway.size())) {
    whole.replace(at, kGateway.size(), gateway);
  }
  whole += topic;
  if (!valid_topic(whole)) return Error{"not a topic that may be published"};
  if (whole.front() == '$') return Error{"topics that begin with $ are the broker's own"};
  return {boost::system::in_place_value, whole};
}

std::string tulpar_id(const queue::Origin& origin, queue::MessageId id) {
  if (origin.incarnation == 0) return fmt::format("{:016x}-{}", 0, id);
  return fmt::format("{:016x}-{}", origin.incarnation, origin.number);
}

std::size_t publish_size(std::string_view topic, std::string_view id, std::size_t payload, bool v5) {
  std::size_t rest = 2 + topic.size() + 2 + payload;  // with the packet identifier
  if (v5) {
    const std::size_t properties = 1 + 2 + std::string_view(kTulparId).size() + 2 + id.size();
    rest += varint_size(properties) + properties;
  }
  return 1 + varint_size(rest) + rest;
}

PublishOutcome publish_outcome(std::uint8_t reason) {
  if (reason < MQTT_RC_UNSPECIFIED) return PublishOutcome::kTaken;
  switch (reason) {
    case MQTT_RC_UNSPECIFIED:
    case MQTT_RC_IMPLEMENTATION_SPECIFIC:
    case MQTT_RC_PACKET_ID_IN_USE:
    case MQTT_RC_QUOTA_EXCEEDED:
      return PublishOutcome::kLater;
    case MQTT_RC_NOT_AUTHORIZED:
      return PublishOutcome::kForbidden;
    // Topic name invalid, payload format invalid; some brokers answer 0x95, packet too large.
    default:
      return PublishOutcome::kRefused;
  }
}

}  // namespace tulpar::bridge
