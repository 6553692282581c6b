// SPDX-License-Identifier: Apache-2.0
//
// ServiceEnvelope and the MeshPacket in it: what a Meshtastic node publishes to /2/e/ and /2/map/.
//
// Strict (wire.hpp): what a node would refuse is refused here, with the reason. Nothing is ever re-encoded: who
// relays a packet relays its bytes, unknown fields included. Pure function, any thread. All views point into
// the decoded bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "bridge/meshtastic/topic.hpp"
#include "config/base.hpp"

namespace tulpar::bridge::meshtastic {

// The node's MQTT buffer is 1,024 bytes for topic and payload together, so a larger envelope is nobody's.
inline constexpr std::size_t kMaxEnvelope = 1024;
inline constexpr std::size_t kMaxCipher = 256;       // MeshPacket.encrypted
inline constexpr std::uint32_t kMaxHops = 7;         // three bits on the air
inline constexpr std::int32_t kPriorityAlert = 110;  // MeshPacket.Priority.ALERT

struct MeshPacket {
  std::uint32_t present = 0;  // bit n: field n stood in the packet
  NodeNum from = 0;           // never 0 nor kBroadcast
  NodeNum to = 0;
  std::uint32_t channel = 0;  // the channel's hash where encrypted, else an index
  ByteView decoded;           // a Data (data.hpp)
  ByteView encrypted;
  std::uint32_t id = 0;         // unique per sender; 0: none
  std::uint32_t rx_time = 0;    // seconds since 1970
  float rx_snr = 0;             // dB
  std::uint32_t hop_limit = 0;  // 0..7
  bool want_ack = false;
  std::int32_t priority = 0;  // a hint: it is not on the air, each receiver sets its own
  std::int32_t rx_rssi = 0;   // dBm
  bool via_mqtt = false;
  std::uint32_t hop_start = 0;  // 0..7
  ByteView public_key;          // 32 bytes or none
  bool pki_encrypted = false;
  std::uint32_t next_hop = 0, relay_node = 0;  // last byte of a node number
  std::uint32_t transport = 0;
  bool signature_checked = false;

  bool has(unsigned field) const { return (present >> field & 1) != 0; }
  bool is_encrypted() const { return has(5); }  // exactly one of `decoded` and `encrypted` is there
};

struct Envelope {
  MeshPacket packet;
  std::string_view channel_id;  // never empty
  std::string_view gateway_id;  // never empty
};

Result<Envelope> decode_envelope(ByteView bytes);

// The packet alone, as it is multicast by UDP.
Result<MeshPacket> decode_mesh_packet(ByteView bytes);

}  // namespace tulpar::bridge::meshtastic
