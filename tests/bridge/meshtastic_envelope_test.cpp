// SPDX-License-Identifier: Apache-2.0
#include "bridge/meshtastic/envelope.hpp"

#include <functional>
#include <set>

#include "tests/bridge/mesh.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::bridge::meshtastic;
using test::from_hex;

namespace {

using Writer = protozero::pbf_writer;

// An envelope around a packet of which `change` may add fields; it is valid if `change` adds nothing odd.
Bytes envelope_with(const std::function<void(Writer&)>& change, bool payload = true) {
  std::string mesh;
  Writer writer(mesh);
  writer.add_fixed32(1, 0x7efeee00);
  writer.add_fixed32(2, 0xffffffff);
  if (payload) writer.add_bytes(4, "\x08\x01");
  change(writer);
  std::string envelope;
  Writer outer(envelope);
  outer.add_message(1, mesh);
  outer.add_string(2, "LongFast");
  outer.add_string(3, "!7efeee00");
  return test::to_bytes(envelope);
}

bool accepts(const std::function<void(Writer&)>& change, bool payload = true) {
  return decode_envelope(envelope_with(change, payload)).has_value();
}

std::string error_of(const Bytes& bytes) {
  const auto envelope = decode_envelope(bytes);
  return envelope ? "" : envelope.error().message;
}

}  // namespace

TEST_CASE("envelope: every field of a captured text (V1) is read, and only those count as present") {
  const auto bytes = from_hex(
      "0a430d1200adde15ffffffff181f2a0e128aa846ce2764efa18fc5f854b9359afdd1c73d0271466a450000f0404802586460b1ff"
      "ffffffff"
      "ffffff0178039801fc01a80101120a4d656469756d466173741a09216465616430306666");
  const auto envelope = decode_envelope(bytes);
  REQUIRE(envelope.has_value());
  CHECK(envelope->channel_id == "MediumFast");
  CHECK(envelope->gateway_id == "!dead00ff");
  const auto& packet = envelope->packet;
  CHECK(packet.from == 0xdead0012);
  CHECK(packet.to == kBroadcast);
  CHECK(packet.channel == 31);
  CHECK(packet.id == 0xc7d1fd9a);
  CHECK(packet.rx_time == 0x6a467102);
  CHECK(packet.rx_snr == 7.5f);
  CHECK(packet.hop_limit == 2);
  CHECK(packet.hop_start == 3);
  CHECK(packet.priority == 100);
  CHECK(packet.rx_rssi == -79);
  CHECK(packet.relay_node == 0xfc);
  CHECK(packet.transport == 1);
  CHECK(packet.is_encrypted());
  CHECK(test::to_hex(packet.encrypted) == "128aa846ce2764efa18fc5f854b9");
  for (unsigned field = 0; field < 32; ++field) {
    const bool expected = (std::set<unsigned>{1, 2, 3, 5, 6, 7, 8, 9, 11, 12, 15, 19, 21}.count(field)) == 1;
    INFO("field " << field);
    CHECK(packet.has(field) == expected);
  }
}

TEST_CASE("envelope: the packet alone, as multicast by UDP") {
  const auto packet = decode_mesh_packet(from_hex(
      "0d0200adde151200adde181f2a0d8fa4527af6b3f8994d097d7ce235961d27163dfb71466a4802587878029801fc01"));
  REQUIRE(packet.has_value());
  CHECK(packet->from == 0xdead0002);
  CHECK(packet->to == 0xdead0012);
  CHECK(packet->priority == 120);
}

TEST_CASE("envelope: hop counts fit their three bits") {
  CHECK(accepts([](Writer& w) { w.add_uint32(9, 7); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_uint32(9, 8); }));
  CHECK(accepts([](Writer& w) { w.add_uint32(15, 7); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_uint32(15, 8); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_uint64(9, 1ull << 32); }));
  CHECK(error_of(envelope_with([](Writer& w) { w.add_uint32(9, 8); })) ==
        "MeshPacket: field 9 is out of range");
}

TEST_CASE("envelope: sizes have bounds, to the byte") {
  CHECK(accepts([](Writer& w) { w.add_bytes(5, std::string(256, 'x')); }, false));
  CHECK_FALSE(accepts([](Writer& w) { w.add_bytes(5, std::string(257, 'x')); }, false));
  CHECK(accepts([](Writer& w) { w.add_bytes(16, std::string(32, 'k')); }));
  CHECK(accepts([](Writer& w) { w.add_bytes(16, ""); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_bytes(16, std::string(31, 'k')); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_bytes(16, std::string(33, 'k')); }));
  CHECK(accepts([](Writer& w) { w.add_uint32(19, 255); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_uint32(19, 256); }));

  // Padding in an unknown field brings the envelope to its largest size, and one beyond.
  const auto padding = [](std::size_t n) {
    return envelope_with([n](Writer& w) { w.add_bytes(100, std::string(n, 'p')); });
  };
  const auto overhead = padding(900).size() - 900;
  const auto largest = padding(kMaxEnvelope - overhead);
  REQUIRE(largest.size() == kMaxEnvelope);
  CHECK(decode_envelope(largest).has_value());
  CHECK(error_of(padding(kMaxEnvelope - overhead + 1)) ==
        "ServiceEnvelope: 1025 bytes, at most 1024 are allowed");
}

TEST_CASE("envelope: fields of newer firmware are skipped, known ones must have their type and come once") {
  CHECK(accepts([](Writer& w) {
    w.add_uint32(23, 1);
    w.add_fixed64(24, 2);
    w.add_string(1000, "later");
  }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_uint32(6, 1); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_fixed32(9, 1); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_bytes(12, "x"); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_fixed64(8, 1); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_string(20, "x"); }));
  CHECK(error_of(envelope_with([](Writer& w) {
          w.add_fixed32(6, 1);
          w.add_fixed32(6, 1);
        })) == "MeshPacket: field 6 stands there twice");
}

TEST_CASE("envelope: a packet has a possible sender and exactly one payload") {
  CHECK_FALSE(accepts([](Writer&) {}, false));
  CHECK_FALSE(accepts([](Writer& w) { w.add_bytes(5, "x"); }));
  for (const std::uint32_t from : {0u, 0xffffffffu}) {
    test::Packet packet;
    packet.from = from;
    CHECK(error_of(test::decoded(packet)) == "MeshPacket: no node can be its sender");
  }
}

TEST_CASE("envelope: channel_id and gateway_id are there, are text and are short") {
  test::Packet packet;
  REQUIRE(decode_envelope(test::decoded(packet)).has_value());
  packet.gateway = "";
  CHECK(error_of(test::decoded(packet)) == "ServiceEnvelope: gateway_id is missing");
  packet.gateway = "!7efeee00";
  packet.channel = "";
  CHECK(error_of(test::decoded(packet)) == "ServiceEnvelope: channel_id is missing");
  packet.channel = std::string(65, 'c');
  CHECK(error_of(test::decoded(packet)) == "ServiceEnvelope: field 2 is too long");
  packet.channel = "\xff";
  CHECK(error_of(test::decoded(packet)) == "ServiceEnvelope: field 2 is not UTF-8");
  CHECK(error_of({}) == "ServiceEnvelope: channel_id is missing");
}

TEST_CASE("envelope: negative numbers in ten bytes") {
  const auto rssi = [](std::int64_t value) {
    return decode_envelope(envelope_with([value](Writer& w) { w.add_int64(12, value); })).has_value();
  };
  CHECK(rssi(-120));
  CHECK(rssi(std::numeric_limits<std::int32_t>::min()));
  CHECK_FALSE(rssi(std::int64_t{std::numeric_limits<std::int32_t>::min()} - 1));
  CHECK_FALSE(rssi(std::int64_t{std::numeric_limits<std::int32_t>::max()} + 1));
}
