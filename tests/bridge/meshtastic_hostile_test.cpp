// SPDX-License-Identifier: Apache-2.0
//
// Bytes that nobody meant: cut, flipped, random. Whatever comes, decoding ends with a value or an error in
// words, and what it gives stays inside its bounds. (Under ASan and UBSan this is also the test that nothing is
// read beyond.)
#include <random>

#include "bridge/classifier.hpp"
#include "bridge/meshtastic/data.hpp"
#include "bridge/meshtastic/envelope.hpp"
#include "tests/bridge/mesh.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::bridge;
using namespace tulpar::bridge::meshtastic;

namespace {

const std::string kTopic = "msh/EU_868/2/e/LongFast/!7efeee00";

// Exactly as large as its content, so that a read beyond the end is caught.
Bytes tight(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

std::vector<Bytes> seeds() {
  test::Packet text;
  text.bitfield = 1;
  text.priority = 100;
  test::Packet telemetry;
  telemetry.port = kTelemetry;
  telemetry.payload = std::string("\x0d\x01\x02\x03\x04\x12\x02\x08\x57", 9);
  test::Packet direct;
  direct.to = 0x12345678;
  direct.pki = true;
  return {test::decoded(text), test::encrypted(text), test::decoded(telemetry), test::encrypted(telemetry),
          test::encrypted(direct)};
}

// True iff it was a packet.
bool check_any(const Bytes& payload, const KeyRing& keys) {
  const auto info = inspect(kTopic, payload, keys);
  if (!info) {
    REQUIRE_FALSE(info.error().message.empty());
    return false;
  }
  REQUIRE(info->from != 0);
  REQUIRE(info->from != kBroadcast);
  REQUIRE(info->payload.size() <= kMaxDataPayload);
  REQUIRE(info->port <= kMaxPort);
  REQUIRE(info->readable == (info->port != 0));
  REQUIRE_FALSE(info->channel.empty());
  REQUIRE_FALSE(info->label().empty());
  if (info->kind() != 0) REQUIRE(info->to == kBroadcast);
  return true;
}

}  // namespace

TEST_CASE("hostile: an envelope cut at any byte is refused") {
  const auto keys = test::default_keys();
  for (const auto& whole : seeds()) {
    REQUIRE(check_any(whole, keys));
    for (std::size_t n = 0; n < whole.size(); ++n) {
      INFO(n << " of " << whole.size() << " bytes");
      CHECK_FALSE(check_any(tight(ByteView(whole).first(n)), keys));
    }
  }
}

TEST_CASE("hostile: every single bit flipped") {
  const auto keys = test::default_keys();
  for (const auto& whole : seeds()) {
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      auto flipped = whole;
      flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      check_any(flipped, keys);
    }
  }
}

TEST_CASE("hostile: random damage and random bytes") {
  const auto keys = test::default_keys();
  std::mt19937 random(20261122);
  const auto all = seeds();
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = all[random() % all.size()];
    for (auto hits = random() % 6 + 1; hits > 0; --hits)
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    accepted += check_any(bytes, keys);
    Bytes noise(random() % 80);
    for (auto& byte : noise) byte = static_cast<std::uint8_t>(random());
    check_any(noise, keys);
  }
  // The damage must reach both outcomes, or this test tests nothing.
  CHECK(accepted > 1000);
  CHECK(accepted < 19'000);
}

TEST_CASE("hostile: noise under a known hash almost never passes for a packet") {
  const auto keys = test::default_keys();
  std::mt19937 random(7);
  int opened = 0;
  for (std::uint32_t round = 0; round < 100'000; ++round) {
    Bytes cipher(20 + random() % 30);
    for (auto& byte : cipher) byte = static_cast<std::uint8_t>(random());
    opened += keys.open(8, 0x7efeee00, round, cipher).has_value();
  }
  CHECK(opened < 10);  // one in ten thousand of what already shares its hash with a known channel
}

TEST_CASE("hostile: a verdict keeps its promises, whatever topic and payload") {
  auto classifier = *Classifier::create(config::default_classes(), {}, test::default_keys());
  std::mt19937 random(42);
  const auto all = seeds();
  const std::string levels[] = {"msh",      "2",   "e", "c",         "json",      "map",
                                "LongFast", "PKI", "",  "!7efeee00", "!7efeee0g", "ü"};
  for (int round = 0; round < 20'000; ++round) {
    std::string topic;
    for (auto n = random() % 7 + 1; n > 0; --n)
      topic += levels[random() % std::size(levels)] + (n > 1 ? "/" : "");
    auto bytes = all[random() % all.size()];
    if (random() % 2) bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    const auto verdict = classifier.classify(topic, bytes, BootTime{Millis{round}});
    REQUIRE(verdict.cls < config::default_classes().size());
    REQUIRE(verdict.node.size() <= Classifier::kMaxNodeName);
    if (verdict.cls == queue::kEmergency) REQUIRE(verdict.kind == 0);
    if (verdict.kind != 0) REQUIRE(config::default_classes()[verdict.cls].latest_only);
    REQUIRE((verdict.label == "malformed") == !verdict.error.empty());
  }
}
