// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/mesh_packet.hpp"

#include <fmt/format.h>

#include <protozero/pbf_writer.hpp>

namespace tulpar::demo {
namespace {

// MeshPacket.TransportMechanism
constexpr std::uint32_t kTransportLora = 1;

std::string encode_packet(const PacketFields& packet, ByteView cipher) {
  std::string out;
  protozero::pbf_writer writer(out);
  writer.add_fixed32(1, packet.from);
  writer.add_fixed32(2, packet.to);
  if (packet.channel_hash != 0) writer.add_uint32(3, packet.channel_hash);
  writer.add_bytes(5, as_text(cipher).data(), cipher.size());
  writer.add_fixed32(6, packet.id);
  writer.add_fixed32(7, packet.rx_time);
  if (packet.heard) writer.add_float(8, packet.heard->snr);
  if (packet.hop_limit != 0) writer.add_uint32(9, packet.hop_limit);
  if (packet.priority != 0) writer.add_uint32(11, packet.priority);
  if (packet.heard) writer.add_int32(12, packet.heard->rssi);
  if (packet.hop_start != 0) writer.add_uint32(15, packet.hop_start);
  if (packet.heard) {
    writer.add_uint32(19, packet.heard->relay);
    writer.add_uint32(21, kTransportLora);
  }
  return out;
}

}  // namespace

std::string encode_data(const DataFields& data) {
  std::string out;
  protozero::pbf_writer writer(out);
  writer.add_uint32(1, data.port);
  writer.add_bytes(2, data.payload);
  if (data.reply_id != 0) writer.add_fixed32(7, data.reply_id);
  if (data.emoji) writer.add_fixed32(8, 1);
  if (data.bitfield) writer.add_uint32(9, *data.bitfield);
  return out;
}

Bytes encode_envelope(const PacketFields& packet, ByteView cipher, std::string_view channel,
                      std::string_view gateway) {
  std::string out;
  protozero::pbf_writer writer(out);
  writer.add_message(1, encode_packet(packet, cipher));
  writer.add_string(2, channel.data(), channel.size());
  writer.add_string(3, gateway.data(), gateway.size());
  return Bytes(out.begin(), out.end());
}

std::string envelope_topic(std::string_view root, std::string_view channel, std::string_view gateway) {
  return fmt::format("{}/2/e/{}/{}", root, channel, gateway);
}

}  // namespace tulpar::demo
