// SPDX-License-Identifier: Apache-2.0
#include "bridge/meshtastic/envelope.hpp"

#include "bridge/meshtastic/wire.hpp"

namespace tulpar::bridge::meshtastic {
namespace {

using wire::Problem;
using wire::Reader;

constexpr std::size_t kMaxName =
    64;  // the firmware's names are far shorter (11 and 9 bytes); other tools' may not be

Problem take_public_key(Reader& reader, ByteView& out) {
  if (const Problem problem = wire::take(reader, out, 32)) return problem;
  return out.empty() || out.size() == 32 ? nullptr : "is no 32-byte key";
}

Problem take_field(Reader& reader, MeshPacket& packet) {
  std::uint32_t unused = 0;
  switch (reader.tag()) {
    case 1:
      return wire::take_fixed(reader, packet.from);
    case 2:
      return wire::take_fixed(reader, packet.to);
    case 3:
      return wire::take(reader, packet.channel);
    case 4:
      return wire::take(reader, packet.decoded, kMaxEnvelope);
    case 5:
      return wire::take(reader, packet.encrypted, kMaxCipher);
    case 6:
      return wire::take_fixed(reader, packet.id);
    case 7:
      return wire::take_fixed(reader, packet.rx_time);
    case 8:
      return wire::take_float(reader, packet.rx_snr);
    case 9:
      return wire::take(reader, packet.hop_limit, kMaxHops);
    case 10:
      return wire::take(reader, packet.want_ack);
    case 11:
      return wire::take(reader, packet.priority);
    case 12:
      return wire::take(reader, packet.rx_rssi);
    case 14:
      return wire::take(reader, packet.via_mqtt);
    case 15:
      return wire::take(reader, packet.hop_start, kMaxHops);
    case 16:
      return take_public_key(reader, packet.public_key);
    case 17:
      return wire::take(reader, packet.pki_encrypted);
    case 18:
      return wire::take(reader, packet.next_hop, 0xff);
    case 19:
      return wire::take(reader, packet.relay_node, 0xff);
    case 21:
      return wire::take(reader, packet.transport);
    case 22:
      return wire::take(reader, packet.signature_checked);
    default:
      return wire::take(reader, unused);  // 13 delayed, 20 tx_after: a node's own affairs
  }
}

Problem take_field(Reader& reader, Envelope& envelope, ByteView& packet) {
  switch (reader.tag()) {
    case 1:
      return wire::take(reader, packet, kMaxEnvelope);
    case 2:
      return wire::take(reader, envelope.channel_id, kMaxName);
    default:
      return wire::take(reader, envelope.gateway_id, kMaxName);
  }
}

}  // namespace

Result<MeshPacket> decode_mesh_packet(ByteView bytes) {
  MeshPacket packet;
  const auto present = wire::for_each_field("MeshPacket", bytes, 22,
                                            [&packet](Reader& reader) { return take_field(reader, packet); });
  if (!present) return present.error();
  packet.present = *present;
  if (packet.from == 0 || packet.from == kBroadcast) return Error{"MeshPacket: no node can be its sender"};
  if (packet.has(4) == packet.has(5))
    return Error{"MeshPacket: needs either a decoded or an encrypted payload"};
  return packet;
}

Result<Envelope> decode_envelope(ByteView bytes) {
  if (bytes.size() > kMaxEnvelope) {
    return Error{fmt::format("ServiceEnvelope: {} bytes, at most {} are allowed", bytes.size(), kMaxEnvelope)};
  }
  Envelope envelope;
  ByteView packet_bytes;
  const auto present = wire::for_each_field(
      "ServiceEnvelope", bytes, 3, [&](Reader& reader) { return take_field(reader, envelope, packet_bytes); });
  if (!present) return present.error();
  // An empty string is an absent one in proto3, and nodes refuse an envelope that lacks either.
  if (envelope.channel_id.empty()) return Error{"ServiceEnvelope: channel_id is missing"};
  if (envelope.gateway_id.empty()) return Error{"ServiceEnvelope: gateway_id is missing"};
  auto packet = decode_mesh_packet(packet_bytes);
  if (!packet) return packet.error();
  envelope.packet = *packet;
  return envelope;
}

}  // namespace tulpar::bridge::meshtastic
