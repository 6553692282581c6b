// SPDX-License-Identifier: Apache-2.0
#include "bridge/meshtastic/crypto.hpp"

#include "tests/bridge/mesh.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::bridge::meshtastic;
using test::from_hex;
using test::to_hex;

namespace {

const std::string kDefaultHex = "d4f1bb3a20290759f0bcffabcf4e6901";

std::string expanded(const Bytes& psk) { return to_hex(*expand_psk(psk)); }

std::string crypted(const Bytes& key, std::uint32_t from, std::uint32_t id, std::string_view hex) {
  return to_hex(ChannelKey("any", key).crypt(from, id, from_hex(hex)));
}

}  // namespace

TEST_CASE("psk: one byte chooses a variant of the public key") {
  CHECK(expanded({1}) == kDefaultHex);
  CHECK(expanded({2}) == "d4f1bb3a20290759f0bcffabcf4e6902");
  CHECK(expanded({255}) == "d4f1bb3a20290759f0bcffabcf4e69ff");
  CHECK(expanded({0}).empty());
  CHECK(expanded({}).empty());
}

TEST_CASE("psk: other lengths are filled up with zeros") {
  CHECK(expanded({0xaa, 0xbb}) == "aabb0000000000000000000000000000");
  CHECK(expanded(Bytes(15, 0x11)) == "11111111111111111111111111111100");
  CHECK(expanded(Bytes(16, 0x11)) == std::string(32, '1'));
  CHECK(expanded(Bytes(17, 0x11)) == std::string(34, '1') + std::string(30, '0'));
  CHECK(expanded(Bytes(31, 0x11)) == std::string(62, '1') + "00");
  CHECK(expanded(Bytes(32, 0x11)) == std::string(64, '1'));
  CHECK_FALSE(expand_psk(Bytes(33, 0x11)).has_value());
}

TEST_CASE("channel hash: the presets with the public key") {
  const std::pair<const char*, int> presets[] = {
      {"LongFast", 8},    {"TinyFast", 8},    {"LongSlow", 15},   {"TinySlow", 15},    {"LongMod", 110},
      {"LongTurbo", 118}, {"MediumSlow", 24}, {"MediumFast", 31}, {"MediumTurbo", 97}, {"ShortSlow", 119},
      {"ShortFast", 112}, {"ShortTurbo", 14}, {"LiteFast", 22},   {"LiteSlow", 17},    {"NarrowFast", 21},
      {"NarrowSlow", 18}, {"Custom", 49},     {"admin", 109},     {"mqtt", 30},        {"gpio", 19},
      {"serial", 2},
  };
  for (const auto& [name, hash] : presets) {
    INFO(name);
    CHECK(channel_hash(name, from_hex(kDefaultHex)) == hash);
  }
  CHECK(channel_hash("", {}) == 0);
}

TEST_CASE("crypt: nonce and ciphertext of V10, V11, V12 and V13") {
  CHECK(to_hex(packet_nonce(0x7efeee00, 0x12345678)) == "785634120000000000eefe7e00000000");
  CHECK(crypted(from_hex(kDefaultHex), 0x7efeee00, 0x12345678, "0801120a48656c6c6f206d6573684801") ==
        "ec9bd23a5511b2d51cd23d7b050a97c3");
  CHECK(crypted(*expand_psk(Bytes{2}), 0x7efeee00, 0x12345679, "0801120a48656c6c6f206d6573684800") ==
        "c986757482be4385e59fe57fd836cc85");
  CHECK(crypted(from_hex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), 0x7efeee00,
                0x1234567a, "080b1203534f53") == "48f5ba9b47fe42");
  CHECK(crypted(from_hex(kDefaultHex), 0x7efeee00, 0x1234567b, "08011204f09f918d3d7856341245010000004801") ==
        "4c3f98c0dc7d7cda22a7fa9f3c910a59a29219ad");
  CHECK(channel_hash("Team", *expand_psk(Bytes{2})) == 60);
}

TEST_CASE("crypt: the context is reused without a trace of the packet before") {
  const ChannelKey key("LongFast", from_hex(kDefaultHex));
  const auto plain = Bytes(100, 0x5a);
  const auto first = key.crypt(1, 2, plain);
  CHECK(key.crypt(1, 3, plain) != first);
  CHECK(key.crypt(2, 2, plain) != first);
  CHECK(key.crypt(1, 2, first) == plain);
  CHECK(key.crypt(1, 2, {}).empty());
}

TEST_CASE("key ring: opens with the right key only, found by hash") {
  const auto plain = from_hex("0801120a48656c6c6f206d6573684801");
  const auto cipher = from_hex("ec9bd23a5511b2d51cd23d7b050a97c3");
  const auto ring = test::default_keys();
  CHECK(ring.open(8, 0x7efeee00, 0x12345678, cipher) == plain);
  CHECK_FALSE(ring.open(9, 0x7efeee00, 0x12345678, cipher));
  CHECK_FALSE(ring.open(8 + 256, 0x7efeee00, 0x12345678, cipher));
  CHECK_FALSE(ring.open(8, 0x7efeee00, 0x12345679, cipher));
  CHECK_FALSE(KeyRing().open(8, 0x7efeee00, 0x12345678, cipher));
}

TEST_CASE("key ring: channels that share a hash are tried one after another") {
  // "Team" with this key has LongFast's hash, as its key's XOR says.
  Bytes other(16, 0x33);
  other[0] ^= channel_hash("Team", other) ^ 8;
  REQUIRE(channel_hash("Team", other) == 8);
  const auto ring = *KeyRing::create({{"Team", other}, {"LongFast", {1}}});
  const auto cipher = from_hex("ec9bd23a5511b2d51cd23d7b050a97c3");
  CHECK(ring.open(8, 0x7efeee00, 0x12345678, cipher) == from_hex("0801120a48656c6c6f206d6573684801"));
  CHECK_FALSE(KeyRing::create({{"Team", other}})->open(8, 0x7efeee00, 0x12345678, cipher));
}

TEST_CASE("key ring: a channel without PSK takes the primary's, the primary without one is not encrypted") {
  const auto plain = from_hex("0801120a48656c6c6f206d6573684801");
  const auto cipher = from_hex("ec9bd23a5511b2d51cd23d7b050a97c3");
  const auto inherits = *KeyRing::create({{"Base", {1}}, {"LongFast", {}}});
  CHECK(inherits.open(8, 0x7efeee00, 0x12345678, cipher) == plain);
  const auto open = *KeyRing::create({{"Base", {}}});
  CHECK(open.open(channel_hash("Base", {}), 1, 2, plain) == plain);
  const auto off = *KeyRing::create({{"Base", {1}}, {"Clear", {0}}});
  CHECK(off.open(channel_hash("Clear", {}), 1, 2, plain) == plain);
}

TEST_CASE("key ring: port 0 is no success, and an overlong key names its channel") {
  const auto ring = *KeyRing::create({{"Clear", {0}}});
  const auto hash = channel_hash("Clear", {});
  CHECK_FALSE(ring.open(hash, 1, 2, from_hex("1203534f53")));
  CHECK_FALSE(ring.open(hash, 1, 2, from_hex("0800")));
  CHECK_FALSE(ring.open(hash, 1, 2, {}));
  const auto bad = KeyRing::create({{"LongFast", {1}}, {"Long", Bytes(33, 1)}});
  REQUIRE_FALSE(bad.has_value());
  CHECK(bad.error().message == "channel \"Long\": a channel key has 33 bytes; 0, 1, 16 or 32 are allowed");
}
