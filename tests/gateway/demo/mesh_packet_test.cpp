// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/mesh_packet.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bridge/meshtastic/crypto.hpp"
#include "bridge/meshtastic/data.hpp"
#include "bridge/meshtastic/envelope.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;
namespace meshtastic = tulpar::bridge::meshtastic;

namespace {

std::string hex(ByteView bytes) { return fmt::format("{:02x}", fmt::join(bytes, "")); }

}  // namespace

TEST_CASE("an envelope is written byte by byte as a node would write it") {
  // Made with protoc and OpenSSL's command line, not with this code.
  const std::string data = encode_data({.port = 1, .payload = "Hello mesh", .bitfield = 1});
  CHECK(hex(as_bytes(data)) == "0801120a48656c6c6f206d6573684801");

  const std::uint8_t psk = 1;
  const meshtastic::ChannelKey key("LongFast", meshtastic::expand_psk(ByteView(&psk, 1)).value());
  const PacketFields packet{
      .from = 0x7efeee00, .channel_hash = key.hash(), .id = 0x12345678, .rx_time = 0x6553f100};
  const Bytes envelope =
      encode_envelope(packet, key.crypt(packet.from, packet.id, as_bytes(data)), "LongFast", "!7efeee00");
  CHECK(hex(envelope) ==
        "0a2c0d00eefe7e15ffffffff18082a10ec9bd23a5511b2d51cd23d7b050a97c335785634123d00f153654803780312084c6f6e"
        "67466"
        "173741a09213765666565653030");
}

TEST_CASE("every field comes back from the gateway's own reader") {
  const Bytes cipher{1, 2, 3};
  PacketFields packet{
      .from = 0x10000001, .to = 0x20000002, .channel_hash = 31, .id = 7, .rx_time = 1'700'000'000};
  packet.heard = Reception{-3.75f, -97, 0xfc};
  packet.hop_limit = 0;
  packet.hop_start = 5;
  packet.priority = 100;
  const Bytes bytes = encode_envelope(packet, cipher, "Alpha", "!7efeee00");
  const auto envelope = meshtastic::decode_envelope(bytes);
  REQUIRE(envelope.has_value());
  CHECK(envelope->channel_id == "Alpha");
  CHECK(envelope->gateway_id == "!7efeee00");
  const meshtastic::MeshPacket& read = envelope->packet;
  CHECK(read.from == packet.from);
  CHECK(read.to == packet.to);
  CHECK(read.channel == 31);
  CHECK(hex(read.encrypted) == "010203");
  CHECK(read.id == 7);
  CHECK(read.rx_time == 1'700'000'000);
  CHECK(read.rx_snr == -3.75f);
  CHECK(read.rx_rssi == -97);
  CHECK(read.hop_limit == 0);
  CHECK(read.hop_start == 5);
  CHECK(read.priority == 100);
  CHECK(read.relay_node == 0xfc);
  CHECK(read.transport == 1);
}

TEST_CASE("an answer and a reaction name the text that they belong to") {
  const std::string bytes =
      encode_data({.port = 1, .payload = "👍", .reply_id = 0xc7d1fd9a, .emoji = true, .bitfield = 0});
  const auto data = meshtastic::decode_data(as_bytes(bytes));
  REQUIRE(data.has_value());
  CHECK(data->reply_id == 0xc7d1fd9a);
  CHECK(data->emoji == 1);
  CHECK(data->ok_to_mqtt() == false);
  CHECK_FALSE(
      meshtastic::decode_data(as_bytes(encode_data({.port = 3, .payload = "x"})))->ok_to_mqtt().has_value());
}

TEST_CASE("a topic names root, channel and gateway") {
  CHECK(envelope_topic("msh/KZ_863", "LongFast", "!7efeee00") == "msh/KZ_863/2/e/LongFast/!7efeee00");
}
