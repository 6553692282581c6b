// SPDX-License-Identifier: Apache-2.0
//
// Meshtastic packets: every reader on every input; and what is readable reads the same when it is packed anew,
// plain or under the channel's key.
//
// Input: the topic, a newline, the payload.
#include "bridge/meshtastic/envelope.hpp"

#include "bridge/meshtastic/data.hpp"
#include "bridge/meshtastic/packet.hpp"
#include "bridge/utf8.hpp"
#include "tests/bridge/mesh.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tulpar;
using namespace tulpar::bridge;
using namespace tulpar::bridge::meshtastic;
using tulpar::fuzz::Input;
using tulpar::fuzz::require;

namespace {

void read_parts(ByteView payload) {
  if (const auto packet = decode_mesh_packet(payload)) {
    require(packet->from != 0 && packet->from != kBroadcast, "a packet has one sender");
    require(packet->has(4) != packet->has(5), "a packet is either plain or encrypted");
    require(packet->encrypted.size() <= kMaxCipher && packet->hop_limit <= kMaxHops,
            "a packet keeps its bounds");
  }
  if (const auto data = decode_data(payload)) {
    require(data->portnum <= kMaxPort && data->payload.size() <= kMaxDataPayload, "data keeps its bounds");
    require(!port_name(data->portnum).empty(), "a port has a name");
    (void)data->ok_to_mqtt();
  }
  require(telemetry_variant(payload) <= 31, "a variant is a field's number");
  (void)is_stored_text(payload);
  (void)contains_bell(payload);
}

// The same packet, packed by the tests' own writer.
test::Packet repacked(const PacketInfo& info) {
  test::Packet packet;
  packet.from = info.from;
  packet.to = info.to;
  packet.id = info.id;
  packet.port = info.port;
  packet.payload = as_text(info.payload);
  packet.priority = info.priority;
  if (info.ok_to_mqtt) packet.bitfield = *info.ok_to_mqtt ? 1 : 0;
  return packet;
}

void require_same(const PacketInfo& one, const PacketInfo& other) {
  require(other.readable && one.from == other.from && one.to == other.to && one.id == other.id,
          "the same packet");
  require(one.port == other.port && one.payload == other.payload, "the same content");
  require(one.variant == other.variant && one.kind() == other.kind() && one.label() == other.label(),
          "the same kind");
  require(one.priority == other.priority && one.ok_to_mqtt == other.ok_to_mqtt, "the same wishes");
  require(one.packet_key() == other.packet_key() && one.text() == other.text(), "the same text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  const auto topic = in.text_until('\n');
  const auto payload = in.rest();
  read_parts(payload);
  if (const auto form = parse_topic(topic); form && form->gateway)
    require(parse_node_id(node_id(*form->gateway)) == form->gateway, "a node's name is read as it is written");

  const auto keys = test::default_keys();
  const auto info = inspect(topic, payload, keys);
  if (!info) {
    require(!info.error().message.empty(), "an error says what is wrong");
    return 0;
  }
  require(valid_utf8(info->channel) && valid_utf8(info->gateway), "names are text");
  require(parse_node_id(info->node()) == info->from, "a packet has a sender");
  require(!info->label().empty(), "a packet has a label");
  if (!info->readable) return 0;
  const auto packet = repacked(*info);
  const std::string where = "msh/EU_868/2/e/LongFast/!7efeee00";
  const auto plain = inspect(where, test::decoded(packet), keys);
  require(plain.has_value(), "what was read can be packed");
  require_same(*info, *plain);
  const auto sealed = inspect(where, test::encrypted(packet), keys);
  require(sealed.has_value(), "what was packed under a known key is opened");
  require_same(*info, *sealed);
  return 0;
}
