// SPDX-License-Identifier: Apache-2.0
#include "bridge/audience.hpp"

#include "bridge/meshtastic/packet.hpp"

namespace tulpar::bridge {

bool may_leave(const config::Sink& sink, const meshtastic::KeyRing& keys, queue::ClassId cls,
               std::string_view topic, ByteView payload) {
  if (config::audience_of(sink) == config::Audience::kPrivate) return true;
  if (sink.rescue && cls == queue::kEmergency) return true;
  const auto packet = meshtastic::inspect(topic, payload, keys);
  return packet && packet->ok_to_mqtt.value_or(false);
}

}  // namespace tulpar::bridge
