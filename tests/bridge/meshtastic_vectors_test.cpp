// SPDX-License-Identifier: Apache-2.0
//
// Captured packets of the shared folder: each must open to exactly the bytes that an independent decoder found.
#include "bridge/meshtastic/data.hpp"
#include "bridge/meshtastic/envelope.hpp"
#include "bridge/meshtastic/packet.hpp"
#include "tests/bridge/mesh.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::bridge::meshtastic;

namespace {

std::uint32_t number(const boost::json::object& vector, const char* key) {
  return static_cast<std::uint32_t>(std::stoul(std::string(vector.at(key).as_string()), nullptr, 16));
}

Bytes bytes(const boost::json::object& vector, const char* key) {
  return test::from_hex(vector.at(key).as_string());
}

void check_captured(const boost::json::object& vector) {
  const auto raw = bytes(vector, "mesh_packet");
  const auto packet = decode_mesh_packet(raw);
  REQUIRE(packet.has_value());
  CHECK(packet->from == number(vector, "from_"));
  CHECK(packet->to == number(vector, "to"));
  CHECK(packet->id == number(vector, "id"));
  CHECK(packet->channel == vector.at("channel_hash").to_number<std::uint32_t>());
  const auto nonce = packet_nonce(packet->from, packet->id);
  CHECK(Bytes(nonce.begin(), nonce.end()) == bytes(vector, "nonce"));
  CHECK(test::default_keys().open(packet->channel, packet->from, packet->id, packet->encrypted) ==
        bytes(vector, "data_plaintext"));
  const auto envelope = bytes(vector, "service_envelope_constructed");
  const auto info = inspect("msh/EU_868/2/e/MediumFast/!dead00ff", envelope, test::default_keys());
  REQUIRE(info.has_value());
  CHECK(info->readable);
}

void check_constructed(const boost::json::object& vector) {
  const ChannelKey key(std::string_view(vector.at("channel").as_string()), bytes(vector, "key"));
  CHECK(key.hash() == vector.at("channel_hash").to_number<std::uint32_t>());
  const auto closed = bytes(vector, "service_envelope_encrypted");
  const auto open = bytes(vector, "service_envelope_decoded");
  const auto closed_envelope = decode_envelope(closed);
  const auto open_envelope = decode_envelope(open);
  REQUIRE(closed_envelope.has_value());
  REQUIRE(open_envelope.has_value());
  const auto& packet = closed_envelope->packet;
  // CTR without padding or tag: the far side rebuilds the very ciphertext from the plain text.
  CHECK(key.crypt(packet.from, packet.id, open_envelope->packet.decoded) == bytes(vector, "ciphertext"));
  CHECK(test::to_hex(packet.encrypted) == vector.at("ciphertext").as_string());
}

}  // namespace

TEST_CASE("shared vectors: captured and constructed packets") {
  const auto file = test::read_shared("vectors/meshtastic.json");
  if (!file) {
    WARN("SKIPPED: vectors/meshtastic.json not found, set TULPAR_SHARED");
    return;
  }
  int captured = 0;
  int constructed = 0;
  const auto vectors = boost::json::parse(*file);
  for (const auto& value : vectors.as_array()) {
    const auto& vector = value.as_object();
    INFO(vector.at("name").as_string().c_str());
    if (vector.contains("mesh_packet")) {
      check_captured(vector);
      ++captured;
    } else if (vector.contains("service_envelope_encrypted")) {
      check_constructed(vector);
      ++constructed;
    }
  }
  CHECK(captured == 9);
  CHECK(constructed == 4);
}
