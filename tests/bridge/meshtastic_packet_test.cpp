// SPDX-License-Identifier: Apache-2.0
#include "bridge/meshtastic/packet.hpp"

#include "bridge/meshtastic/data.hpp"
#include "tests/bridge/mesh.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::bridge::meshtastic;
using test::from_hex;

namespace {

const std::string kTopic = "msh/EU_868/2/e/LongFast/!7efeee00";

PacketInfo inspected(const Bytes& payload, const std::string& topic = kTopic) {
  return *inspect(topic, payload, test::default_keys());
}

}  // namespace

TEST_CASE("packet: V10, encrypted and decoded, tells the same") {
  const auto closed = inspected(from_hex(
      "0a2c0d00eefe7e15ffffffff18082a10ec9bd23a5511b2d51cd23d7b050a97c335785634123d00f153654803780312084c6f6e67"
      "466173741a09213765666565653030"));
  const auto open = inspected(from_hex(
      "0a2a0d00eefe7e15ffffffff22100801120a48656c6c6f206d657368480135785634123d00f153654803780312084c6f6e674661"
      "73741a09213765666565653030"));
  for (const auto& info : {closed, open}) {
    CHECK(info.from == 0x7efeee00);
    CHECK(info.to == kBroadcast);
    CHECK(info.id == 0x12345678);
    CHECK(info.channel == "LongFast");
    CHECK(info.gateway == "!7efeee00");
    CHECK(info.node() == "!7efeee00");
    CHECK(info.readable);
    CHECK_FALSE(info.pki);
    CHECK(info.port == kTextMessage);
    CHECK(info.text() == "Hello mesh");
    CHECK(info.ok_to_mqtt == true);
    CHECK(info.kind() == 0);
    CHECK(info.packet_key() == 0x7efeee0012345678);
    CHECK(info.label() == "TEXT_MESSAGE_APP");
  }
}

TEST_CASE("packet: V12, an alert under a 32-byte key") {
  Bytes psk(32);
  for (std::size_t i = 0; i < psk.size(); ++i) psk[i] = static_cast<std::uint8_t>(i);
  const auto envelope = from_hex(
      "0a200d00eefe7e15ffffffff18372a0748f5ba9b47fe42357a56341248075001780712065265736375651a092137656665656530"
      "30");
  const auto info = inspect("msh/2/e/Rescue/!7efeee00", envelope, *KeyRing::create({{"Rescue", psk}}));
  REQUIRE(info.has_value());
  CHECK(info->port == kAlert);
  CHECK(info->text() == "SOS");
  CHECK(info->ok_to_mqtt == std::nullopt);

  // The right hash with a wrong key: unreadable, nothing invented.
  psk[0] ^= 1;
  psk[1] ^= 1;
  const auto wrong = inspect("msh/2/e/Rescue/!7efeee00", envelope, *KeyRing::create({{"Rescue", psk}}));
  REQUIRE(wrong.has_value());
  CHECK_FALSE(wrong->readable);
  CHECK(wrong->port == 0);
  CHECK(wrong->text() == std::nullopt);
  CHECK(wrong->label() == "unreadable");
}

TEST_CASE("packet: V14, a map report without a packet id") {
  const auto info = inspected(
      from_hex(
          "0a4e0d00eefe7e15ffffffff22420849123e0a0c426173652053746174696f6e1204424153451802202b2a0e322e372e3236"
          "2e3534"
          "6530643864300340014d00023e1f5500000e08582f600e680c700112084c6f6e67466173741a09213765666565653030"),
      "msh/EU_868/2/map/");
  CHECK(info.port == kMapReport);
  CHECK(info.kind() == make_kind(kMapReport));
  CHECK(info.packet_key() == 0);
}

TEST_CASE("packet: only a state that is told to all has a kind") {
  test::Packet packet;
  packet.port = kPosition;
  CHECK(inspected(test::decoded(packet)).kind() == make_kind(kPosition));
  CHECK(inspected(test::encrypted(packet)).kind() == make_kind(kPosition));
  packet.to = 0x12345678;
  CHECK(inspected(test::decoded(packet)).kind() == 0);
  packet.to = kBroadcastNoLora;
  CHECK(inspected(test::decoded(packet)).is_broadcast());
  CHECK(inspected(test::decoded(packet)).kind() == 0);
  packet.to = kBroadcast;
  packet.port = kTextMessage;
  CHECK(inspected(test::decoded(packet)).kind() == 0);
}

TEST_CASE("packet: telemetry's kinds are apart, and one that can't be told has none") {
  test::Packet packet;
  packet.port = kTelemetry;
  packet.payload = std::string("\x12\x00", 2);
  const auto device = inspected(test::decoded(packet));
  CHECK(device.kind() == make_kind(kTelemetry, 2));
  CHECK(device.label() == "device");
  packet.payload = std::string("\x1a\x00", 2);
  CHECK(inspected(test::decoded(packet)).kind() == make_kind(kTelemetry, 3));
  packet.payload = "";
  CHECK(inspected(test::decoded(packet)).kind() == 0);
  CHECK(inspected(test::decoded(packet)).label() == "telemetry");
}

TEST_CASE("packet: PKI is told by topic, channel or flag, and no channel key is tried on it") {
  // A key with hash 0 would fit every PKI packet, as those have channel 0.
  const auto ring = *KeyRing::create({{"", {0}}});
  test::Packet packet;
  packet.to = 0x12345678;
  const auto envelope = [&packet] { return test::envelope_of(packet, 5, "\x08\x01", 0); };
  const std::string pki_topic = "msh/2/e/PKI/!7efeee00";
  CHECK(inspect(kTopic, envelope(), ring)->readable);
  CHECK(inspect(pki_topic, envelope(), ring)->pki);
  packet.pki = true;
  CHECK(inspect(kTopic, envelope(), ring)->pki);
  packet.pki = false;
  packet.channel = "PKI";
  const auto info = inspect(kTopic, envelope(), ring);
  CHECK(info->pki);
  CHECK_FALSE(info->readable);
  CHECK(info->label() == "PKI");
}

TEST_CASE("packet: a PKI packet that its addressee's node published decoded is readable") {
  test::Packet packet;
  packet.pki = true;
  packet.channel = "PKI";
  const auto info = inspected(test::decoded(packet));
  CHECK(info.readable);
  CHECK_FALSE(info.pki);
}

TEST_CASE("packet: port 0 is unreadable, whether it came encrypted or not") {
  test::Packet packet;
  packet.port = 0;
  CHECK_FALSE(inspected(test::decoded(packet)).readable);
  CHECK_FALSE(inspected(test::encrypted(packet)).readable);
}

TEST_CASE("packet: the channel's name does not choose the key, its hash does") {
  test::Packet packet;
  const ChannelKey key("LongFast", *expand_psk(test::kDefaultPsk));
  const auto cipher = key.crypt(packet.from, packet.id, as_bytes(test::data_of(packet)));
  packet.channel = "longfast";
  const auto info = inspected(test::envelope_of(packet, 5, as_text(cipher), key.hash()));
  CHECK(info.readable);
  CHECK(info.channel == "longfast");
}

TEST_CASE("packet: text is given only where it is one") {
  test::Packet packet;
  packet.payload = "Тұлпар";
  CHECK(inspected(test::decoded(packet)).text() == "Тұлпар");
  packet.payload = "\xff\xfe";
  CHECK(inspected(test::decoded(packet)).text() == std::nullopt);
  packet.payload = "looks like text";
  packet.port = kPosition;
  CHECK(inspected(test::decoded(packet)).text() == std::nullopt);
}

TEST_CASE("packet: errors say what is wrong") {
  const auto keys = test::default_keys();
  const auto error = [&](const std::string& topic, const Bytes& payload) {
    const auto info = inspect(topic, payload, keys);
    return info ? "" : info.error().message;
  };
  CHECK(error("mesh/n1/sos", test::decoded({})) == "not a topic of Meshtastic packets");
  CHECK(error("msh/2/json/LongFast/!7efeee00", test::to_bytes("{}")) == "not a topic of Meshtastic packets");
  CHECK(error(kTopic, test::to_bytes("hello")) == "ServiceEnvelope: cut short or not protobuf");
  CHECK(error(kTopic, test::envelope_of({}, 4, "\x08", 0)) == "Data: cut short or not protobuf");
  test::Packet packet;
  packet.hop_limit = 8;
  CHECK(error(kTopic, test::decoded(packet)) == "MeshPacket: field 9 is out of range");
}
