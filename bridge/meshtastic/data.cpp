// SPDX-License-Identifier: Apache-2.0
#include "bridge/meshtastic/data.hpp"

#include <algorithm>
#include <array>

#include "bridge/meshtastic/wire.hpp"

namespace tulpar::bridge::meshtastic {
namespace {

using wire::Problem;
using wire::Reader;

constexpr std::uint32_t kOkToMqtt = 1;  // Data.bitfield
constexpr std::size_t kSignature = 64;

struct Name {
  std::uint32_t number;
  std::string_view name;
};

constexpr auto kPortNames = std::to_array<Name>({
    {0, "UNKNOWN_APP"},
    {1, "TEXT_MESSAGE_APP"},
    {2, "REMOTE_HARDWARE_APP"},
    {3, "POSITION_APP"},
    {4, "NODEINFO_APP"},
    {5, "ROUTING_APP"},
    {6, "ADMIN_APP"},
    {7, "TEXT_MESSAGE_COMPRESSED_APP"},
    {8, "WAYPOINT_APP"},
    {9, "AUDIO_APP"},
    {10, "DETECTION_SENSOR_APP"},
    {11, "ALERT_APP"},
    {12, "KEY_VERIFICATION_APP"},
    {13, "REMOTE_SHELL_APP"},
    {32, "REPLY_APP"},
    {33, "IP_TUNNEL_APP"},
    {34, "PAXCOUNTER_APP"},
    {35, "STORE_FORWARD_PLUSPLUS_APP"},
    {36, "NODE_STATUS_APP"},
    {37, "MESH_BEACON_APP"},
    {64, "SERIAL_APP"},
    {65, "STORE_FORWARD_APP"},
    {66, "RANGE_TEST_APP"},
    {67, "TELEMETRY_APP"},
    {68, "ZPS_APP"},
    {69, "SIMULATOR_APP"},
    {70, "TRACEROUTE_APP"},
    {71, "NEIGHBORINFO_APP"},
    {72, "ATAK_PLUGIN"},
    {73, "MAP_REPORT_APP"},
    {74, "POWERSTRESS_APP"},
    {75, "LORAWAN_BRIDGE"},
    {76, "RETICULUM_TUNNEL_APP"},
    {77, "CAYENNE_APP"},
    {78, "ATAK_PLUGIN_V2"},
    {79, "LORA_OTA_APP"},
    {112, "GROUPALARM_APP"},
    {256, "PRIVATE_APP"},
    {257, "ATAK_FORWARDER"},
});

constexpr auto kTelemetryNames = std::to_array<Name>({
    {2, "device"},
    {3, "environment"},
    {4, "air quality"},
    {5, "power"},
    {6, "local stats"},
    {7, "health"},
    {8, "host"},
    {9, "traffic"},
});

template <std::size_t N>
std::string_view find_name(const std::array<Name, N>& names, std::uint32_t number) {
  const auto found =
      std::find_if(names.begin(), names.end(), [number](const Name& n) { return n.number == number; });
  return found == names.end() ? std::string_view{} : found->name;
}

Problem take_signature(Reader& reader, ByteView& out) {
  if (const Problem problem = wire::take(reader, out, kSignature)) return problem;
  return out.empty() || out.size() == kSignature ? nullptr : "is no 64-byte signature";
}

Problem take_field(Reader& reader, Data& data) {
  switch (reader.tag()) {
    case 1:
      return wire::take(reader, data.portnum, kMaxPort);
    case 2:
      return wire::take(reader, data.payload, kMaxDataPayload);
    case 3:
      return wire::take(reader, data.want_response);
    case 4:
      return wire::take_fixed(reader, data.dest);
    case 5:
      return wire::take_fixed(reader, data.source);
    case 6:
      return wire::take_fixed(reader, data.request_id);
    case 7:
      return wire::take_fixed(reader, data.reply_id);
    case 8:
      return wire::take_fixed(reader, data.emoji);
    case 9:
      return wire::take(reader, data.bitfield);
    default:
      return take_signature(reader, data.signature);
  }
}

}  // namespace

std::optional<bool> Data::ok_to_mqtt() const {
  if (!has(9)) return std::nullopt;
  return (bitfield & kOkToMqtt) != 0;
}

Result<Data> decode_data(ByteView bytes) {
  Data data;
  const auto present =
      wire::for_each_field("Data", bytes, 10, [&data](Reader& reader) { return take_field(reader, data); });
  if (!present) return present.error();
  data.present = *present;
  return data;
}

std::string_view port_name(std::uint32_t portnum) {
  if (const auto name = find_name(kPortNames, portnum); !name.empty()) return name;
  if (portnum < 64) return "core port";
  return portnum < 256 ? "registered port" : "private port";
}

std::uint32_t telemetry_variant(ByteView payload) {
  std::uint32_t variant = 0;
  bool several = false;
  const auto present = wire::for_each_field("Telemetry", payload, 31, [&](Reader& reader) -> Problem {
    std::uint32_t time = 0;
    if (reader.tag() == 1) return wire::take_fixed(reader, time);
    several = variant != 0;
    variant = reader.tag();
    ByteView metrics;
    return wire::take(reader, metrics, kMaxDataPayload);
  });
  return present && !several ? variant : 0;
}

std::string_view telemetry_name(std::uint32_t variant) {
  const auto name = find_name(kTelemetryNames, variant);
  return name.empty() ? "telemetry" : name;
}

bool tells_state(std::uint32_t portnum) {
  switch (portnum) {
    case kPosition:
    case kNodeInfo:
    case kPaxcounter:
    case kNodeStatus:
    case kTelemetry:
    case kNeighborInfo:
    case kMapReport:
      return true;
    default:
      return false;
  }
}

bool is_stored_text(ByteView payload) {
  constexpr std::uint32_t kTextDirect = 8;
  constexpr std::uint32_t kTextBroadcast = 9;
  std::uint32_t request = 0;
  const auto present = wire::for_each_field("StoreAndForward", payload, 1,
                                            [&](Reader& reader) { return wire::take(reader, request); });
  return present && (request == kTextDirect || request == kTextBroadcast);
}

bool contains_bell(ByteView payload) {
  return std::find(payload.begin(), payload.end(), 0x07) != payload.end();
}

}  // namespace tulpar::bridge::meshtastic
