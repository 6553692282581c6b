// SPDX-License-Identifier: Apache-2.0
#include "bridge/meshtastic/packet.hpp"

#include "bridge/meshtastic/data.hpp"
#include "bridge/meshtastic/envelope.hpp"
#include "bridge/utf8.hpp"

namespace tulpar::bridge::meshtastic {
namespace {

// Fills in what stands inside; an error iff `plain` is no Data.
Result<void> read_data(ByteView plain, PacketInfo& info) {
  const auto data = decode_data(plain);
  if (!data) return data.error();
  // Port 0 under a wrong key is likely, and the firmware gives such packets to nobody: the same as unreadable.
  if (data->portnum == kUnknownPort) return {};
  info.readable = true;
  info.port = data->portnum;
  info.payload.assign(data->payload.begin(), data->payload.end());
  info.ok_to_mqtt = data->ok_to_mqtt();
  if (info.port == kTelemetry) info.variant = telemetry_variant(data->payload);
  return {};
}

}  // namespace

std::uint64_t PacketInfo::packet_key() const { return id == 0 ? 0 : std::uint64_t{from} << 32 | id; }

std::uint32_t PacketInfo::kind() const {
  if (!readable || to != kBroadcast || !tells_state(port)) return 0;
  if (port == kTelemetry && variant == 0) return 0;
  return make_kind(port, variant);
}

std::optional<std::string_view> PacketInfo::text() const {
  if (port != kTextMessage && port != kAlert) return std::nullopt;
  const auto text = as_text(payload);
  if (!valid_utf8(text)) return std::nullopt;
  return text;
}

std::string_view PacketInfo::label() const {
  if (!readable) return pki ? kPkiChannel : "unreadable";
  return port == kTelemetry ? telemetry_name(variant) : port_name(port);
}

Result<PacketInfo> inspect(std::string_view topic, ByteView payload, const KeyRing& keys) {
  const auto form = parse_topic(topic);
  if (!form || form->form == TopicForm::kJson) return Error{"not a topic of Meshtastic packets"};
  const auto envelope = decode_envelope(payload);
  if (!envelope) return envelope.error();
  const MeshPacket& packet = envelope->packet;
  PacketInfo info;
  info.from = packet.from;
  info.to = packet.to;
  info.id = packet.id;
  info.channel = envelope->channel_id;
  info.gateway = envelope->gateway_id;
  info.priority = packet.priority;
  if (!packet.is_encrypted()) {
    if (const auto read = read_data(packet.decoded, info); !read) return read.error();
    return info;
  }
  info.pki = packet.pki_encrypted || envelope->channel_id == kPkiChannel || form->channel == kPkiChannel;
  if (info.pki) return info;
  if (const auto plain = keys.open(packet.channel, packet.from, packet.id, packet.encrypted)) {
    if (const auto read = read_data(*plain, info); !read) return read.error();
  }
  return info;
}

}  // namespace tulpar::bridge::meshtastic
