// SPDX-License-Identifier: Apache-2.0
//
// All that the rest of Tulpar asks about one Meshtastic packet, in one call: start here.
//
// Thread rule: that of the KeyRing. A PacketInfo owns what it holds.
// Whether a packet came encrypted or not makes no difference to any field, if a known key opens it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/meshtastic/crypto.hpp"
#include "config/base.hpp"

namespace tulpar::bridge::meshtastic {

struct PacketInfo {
  NodeNum from = 0;
  NodeNum to = 0;
  std::uint32_t id = 0;
  std::string channel;        // as the envelope names it
  std::string gateway;        // who published it, "!7efeee00"
  std::int32_t priority = 0;  // MeshPacket.priority
  bool readable = false;      // came decoded, or a known key opens it; then the port is not 0
  bool pki = false;           // under its addressee's own key: nobody else can open it
  // Where readable:
  std::uint32_t port = 0;
  std::uint32_t variant = 0;  // of telemetry: telemetry_variant()
  Bytes payload;              // Data.payload. People's words: not for logs
  std::optional<bool> ok_to_mqtt;

  std::string node() const { return node_id(from); }
  bool is_broadcast() const { return to == kBroadcast || to == kBroadcastNoLora; }
  // from << 32 | id, the same on every copy of the packet; 0 where it has no id.
  std::uint64_t packet_key() const;
  // Port number and variant of a readable broadcast that tells a state, so that a later one makes it worthless;
  // else 0.
  std::uint32_t kind() const;
  // Valid UTF-8 of a text or an alert; else nothing.
  std::optional<std::string_view> text() const;
  // What to call it on the page: the port, telemetry's variant, "PKI", "unreadable". Static storage.
  std::string_view label() const;
};

// kind() for a port and variant.
constexpr std::uint32_t make_kind(std::uint32_t port, std::uint32_t variant = 0) { return port << 8 | variant; }

// What was published under `topic`. An error says why that is no Meshtastic packet: topic, envelope or content.
Result<PacketInfo> inspect(std::string_view topic, ByteView payload, const KeyRing& keys);

}  // namespace tulpar::bridge::meshtastic
