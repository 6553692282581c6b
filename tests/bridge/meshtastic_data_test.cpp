// SPDX-License-Identifier: Apache-2.0
#include "bridge/meshtastic/data.hpp"

#include <functional>

#include "tests/bridge/mesh.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::bridge::meshtastic;
using test::from_hex;

namespace {

using Writer = protozero::pbf_writer;

Bytes written(const std::function<void(Writer&)>& write) {
  std::string bytes;
  Writer writer(bytes);
  write(writer);
  return test::to_bytes(bytes);
}

bool accepts(const std::function<void(Writer&)>& write) { return decode_data(written(write)).has_value(); }

}  // namespace

TEST_CASE("data: a reaction (V13)") {
  const auto bytes = from_hex("08011204f09f918d3d7856341245010000004801");
  const auto data = decode_data(bytes);
  REQUIRE(data.has_value());
  CHECK(data->portnum == kTextMessage);
  CHECK(as_text(data->payload) == "👍");
  CHECK(data->reply_id == 0x12345678);
  CHECK(data->emoji == 1);
  CHECK(data->ok_to_mqtt() == true);
  CHECK_FALSE(data->has(3));
}

TEST_CASE("data: a routing error and a traceroute request") {
  const auto nak_bytes = from_hex("08051202182335b6e05bd94801");
  const auto nak = decode_data(nak_bytes);
  REQUIRE(nak.has_value());
  CHECK(nak->portnum == kRouting);
  CHECK(nak->request_id == 0xd95be0b6);
  const auto trace_bytes = from_hex("084612120a040200adde120ae9ffffffffffffffff0118014803");
  const auto trace = decode_data(trace_bytes);
  REQUIRE(trace.has_value());
  CHECK(trace->portnum == kTraceroute);
  CHECK(trace->want_response);
}

TEST_CASE("data: consent is yes, no, or not said") {
  const auto consent = [](std::optional<std::uint32_t> bitfield) {
    test::Packet packet;
    packet.bitfield = bitfield;
    return decode_data(as_bytes(test::data_of(packet)))->ok_to_mqtt();
  };
  CHECK(consent(1) == true);
  CHECK(consent(3) == true);
  CHECK(consent(0) == false);
  CHECK(consent(2) == false);
  CHECK(consent(std::nullopt) == std::nullopt);
}

TEST_CASE("data: bounds and types") {
  CHECK(accepts([](Writer& w) { w.add_uint32(1, 511); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_uint32(1, 512); }));
  CHECK(accepts([](Writer& w) { w.add_bytes(2, std::string(233, 'x')); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_bytes(2, std::string(234, 'x')); }));
  CHECK(accepts([](Writer& w) { w.add_bytes(10, std::string(64, 's')); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_bytes(10, std::string(63, 's')); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_bytes(10, std::string(65, 's')); }));
  CHECK(accepts([](Writer& w) { w.add_string(11, "of a later version"); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_fixed32(1, 1); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_uint32(2, 1); }));
  CHECK_FALSE(accepts([](Writer& w) { w.add_uint32(7, 1); }));
  CHECK_FALSE(accepts([](Writer& w) {
    w.add_uint32(1, 1);
    w.add_uint32(1, 6);
  }));
}

TEST_CASE("data: what is no protobuf is an error, never more") {
  for (const auto* hex :
       {"08", "0880", "12", "1205616263", "00", "07", "0b", "0f", "88808080808080808080808001", "ff"}) {
    INFO(hex);
    CHECK_FALSE(decode_data(from_hex(hex)).has_value());
  }
}

TEST_CASE("data: every truncation inside a field is refused") {
  const auto whole = from_hex("08011204f09f918d3d7856341245010000004801");
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto data = decode_data(ByteView(whole).first(n));
    const bool between_fields = n == 0 || n == 2 || n == 8 || n == 13 || n == 18;
    INFO(n << " bytes");
    CHECK(data.has_value() == between_fields);
  }
}

TEST_CASE("data: telemetry's variant") {
  CHECK(telemetry_variant(from_hex("0dcd6e466912160857151b2f81401d7eb1243f2544b1313e28d1f9ce09")) == 2);
  CHECK(telemetry_variant(from_hex("0d167b066a2a0a2d0ad7834035cdccccc0")) == 5);
  CHECK(telemetry_variant(written([](Writer& w) { w.add_bytes(3, ""); })) == 3);
  CHECK(telemetry_variant(written([](Writer& w) { w.add_bytes(31, ""); })) == 31);
  CHECK(telemetry_variant({}) == 0);
  CHECK(telemetry_variant(from_hex("0dcd6e4669")) == 0);
  CHECK(telemetry_variant(from_hex("0dcd6e46691216")) == 0);
  CHECK(telemetry_variant(written([](Writer& w) { w.add_bytes(32, ""); })) == 0);
  CHECK(telemetry_variant(written([](Writer& w) { w.add_uint32(2, 1); })) == 0);
  // Two members of a oneof: nobody can say which state that tells.
  CHECK(telemetry_variant(written([](Writer& w) {
          w.add_bytes(2, "");
          w.add_bytes(3, "");
        })) == 0);
  CHECK(telemetry_variant(written([](Writer& w) {
          w.add_bytes(2, "");
          w.add_bytes(3, "");
          w.add_fixed32(1, 9);
        })) == 0);
}

TEST_CASE("data: stored texts") {
  const auto request = [](std::uint32_t rr) {
    return written([rr](Writer& w) {
      w.add_uint32(1, rr);
      w.add_bytes(5, "text");
    });
  };
  CHECK(is_stored_text(request(8)));
  CHECK(is_stored_text(request(9)));
  CHECK_FALSE(is_stored_text(request(2)));
  CHECK_FALSE(is_stored_text(request(65)));
  CHECK_FALSE(is_stored_text({}));
  CHECK_FALSE(is_stored_text(from_hex("08")));
}

TEST_CASE("data: the bell") {
  CHECK(contains_bell(as_bytes("\a")));
  CHECK(contains_bell(as_bytes("help \a here")));
  CHECK_FALSE(contains_bell(as_bytes("bell")));
  CHECK_FALSE(contains_bell({}));
}

TEST_CASE("data: names") {
  CHECK(port_name(0) == "UNKNOWN_APP");
  CHECK(port_name(1) == "TEXT_MESSAGE_APP");
  CHECK(port_name(257) == "ATAK_FORWARDER");
  CHECK(port_name(14) == "core port");
  CHECK(port_name(80) == "registered port");
  CHECK(port_name(300) == "private port");
  CHECK(telemetry_name(2) == "device");
  CHECK(telemetry_name(9) == "traffic");
  CHECK(telemetry_name(0) == "telemetry");
}

TEST_CASE("data: a state is what a later packet of the port replaces whole") {
  for (const auto port :
       {kPosition, kNodeInfo, kTelemetry, kMapReport, kPaxcounter, kNodeStatus, kNeighborInfo}) {
    CHECK(tells_state(port));
  }
  for (const auto port :
       {kTextMessage, kAlert, kWaypoint, kDetectionSensor, kStoreForward, kRouting, kCayenne}) {
    CHECK_FALSE(tells_state(port));
  }
}
