// SPDX-License-Identifier: Apache-2.0
//
// Writes what a Meshtastic node publishes over MQTT: Data, and the ServiceEnvelope around an encrypted
// MeshPacket.
//
// Pure functions, any thread. Only writing: the gateway's own reader stands in bridge/meshtastic/ and knows
// nothing of this one, so that each can judge the other. Fields go out in the order of their numbers, as nodes
// send them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/meshtastic/topic.hpp"
#include "config/base.hpp"

namespace tulpar::demo {

using bridge::meshtastic::NodeNum;

struct DataFields {
  std::uint32_t port = 0;
  std::string payload = {};                    // at most 233 bytes
  std::uint32_t reply_id = 0;                  // 0: not an answer
  bool emoji = false;                          // the payload is a reaction to reply_id
  std::optional<std::uint32_t> bitfield = {};  // bit 0: ok to MQTT; old firmware sends none
};
std::string encode_data(const DataFields& data);

// How the gateway node heard the packet on the radio.
struct Reception {
  float snr = 0;           // dB
  std::int32_t rssi = 0;   // dBm
  std::uint8_t relay = 0;  // last byte of the node that repeated it last
};

struct PacketFields {
  NodeNum from = 0;
  NodeNum to = bridge::meshtastic::kBroadcast;
  std::uint8_t channel_hash = 0;
  std::uint32_t id = 0;
  std::uint32_t rx_time = 0;            // seconds since 1970
  std::optional<Reception> heard = {};  // none: the gateway node's own packet
  std::uint32_t hop_limit = 3;
  std::uint32_t hop_start = 3;
  std::uint32_t priority = 0;  // 0: not sent
};
Bytes encode_envelope(const PacketFields& packet, ByteView cipher, std::string_view channel,
                      std::string_view gateway);

// ROOT/2/e/CHANNEL/!GATEWAY
std::string envelope_topic(std::string_view root, std::string_view channel, std::string_view gateway);

}  // namespace tulpar::demo
