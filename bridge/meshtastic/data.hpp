// SPDX-License-Identifier: Apache-2.0
//
// Data, the readable inside of a MeshPacket, and the few things we look at in its payload.
//
// Strict (wire.hpp), because "it parses" is what tells the right channel key from a wrong one.
// Pure functions, any thread. Views point into the decoded bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bridge/meshtastic/topic.hpp"
#include "config/base.hpp"

namespace tulpar::bridge::meshtastic {

// Port numbers that decide something here; port_name() knows the rest.
enum Port : std::uint32_t {
  kUnknownPort = 0,
  kTextMessage = 1,
  kPosition = 3,
  kNodeInfo = 4,
  kRouting = 5,
  kAdmin = 6,
  kTextCompressed = 7,
  kWaypoint = 8,
  kAudio = 9,
  kDetectionSensor = 10,
  kAlert = 11,
  kRemoteShell = 13,
  kIpTunnel = 33,
  kPaxcounter = 34,
  kStoreForwardPlusPlus = 35,
  kNodeStatus = 36,
  kSerial = 64,
  kStoreForward = 65,
  kRangeTest = 66,
  kTelemetry = 67,
  kSimulator = 69,
  kTraceroute = 70,
  kNeighborInfo = 71,
  kMapReport = 73,
  kPowerStress = 74,
  kCayenne = 77,
  kLoraOta = 79,
  kGroupAlarm = 112,
  kMaxPort = 511,
};

inline constexpr std::size_t kMaxDataPayload = 233;

struct Data {
  std::uint32_t present = 0;  // bit n: field n stood there
  std::uint32_t portnum = 0;  // 0..511
  ByteView payload;           // at most 233 bytes
  bool want_response = false;
  NodeNum dest = 0, source = 0;
  std::uint32_t request_id = 0;  // the packet that this answers
  std::uint32_t reply_id = 0;    // the text that this belongs to
  std::uint32_t emoji = 0;       // 1: the payload is a reaction to reply_id
  std::uint32_t bitfield = 0;
  ByteView signature;  // XEdDSA, 64 bytes or none

  bool has(unsigned field) const { return (present >> field & 1) != 0; }
  // May it be published where everybody reads? Nothing: the sender's firmware is too old to say.
  std::optional<bool> ok_to_mqtt() const;
};

Result<Data> decode_data(ByteView bytes);

// "TEXT_MESSAGE_APP"; a word for the range where the number has no name. Static storage.
std::string_view port_name(std::uint32_t portnum);

// Which member of Telemetry's oneof is there, as its field number (2 device, 3 environment …, 31 at most); 0
// where there is none, several, or the payload is no Telemetry.
std::uint32_t telemetry_variant(ByteView payload);
// "device" …; "telemetry" where the number has no name. Static storage.
std::string_view telemetry_name(std::uint32_t variant);

// Does each packet of this port tell the whole of one state, so that a later one makes it worthless? False for
// all that is news, or a part that others complete.
bool tells_state(std::uint32_t portnum);

// Does a StoreAndForward payload carry a text that was kept for someone?
bool is_stored_text(ByteView payload);

// Does the text ring the bell (0x07)? The apps' alert button puts one in.
bool contains_bell(ByteView payload);

}  // namespace tulpar::bridge::meshtastic
