// SPDX-License-Identifier: Apache-2.0
//
// Meshtastic packets for tests: a writer of our own (the product only reads), and the recorded files where
// present.
//
// Recordings and captured vectors are looked for in $TULPAR_SHARED, or in ../shared beside the source folder.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/meshtastic/crypto.hpp"
#include "config/base.hpp"

namespace tulpar::test {

inline Bytes from_hex(std::string_view hex) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

inline std::string to_hex(ByteView bytes) {
  std::string hex;
  for (const auto byte : bytes) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

inline Bytes to_bytes(std::string_view text) { return {as_bytes(text).begin(), as_bytes(text).end()}; }

// The key behind "AQ==".
inline const Bytes kDefaultPsk = {1};

struct Packet {
  std::uint32_t from = 0x7efeee00;
  std::uint32_t to = 0xffffffff;
  std::uint32_t id = 1;
  std::string channel = "LongFast";
  std::string gateway = "!7efeee00";
  std::uint32_t port = 1;
  std::string payload = "hello";
  std::optional<std::uint32_t> bitfield;
  std::int32_t priority = 0;
  std::uint32_t hop_limit = 3;
  bool pki = false;
};

inline std::string data_of(const Packet& packet) {
  std::string data;
  protozero::pbf_writer writer(data);
  if (packet.port) writer.add_uint32(1, packet.port);
  writer.add_bytes(2, packet.payload);
  if (packet.bitfield) writer.add_uint32(9, *packet.bitfield);
  return data;
}

// `content` goes into field 4 (decoded) or 5 (encrypted) as it is.
inline Bytes envelope_of(const Packet& packet, unsigned field, std::string_view content,
                         std::uint32_t channel) {
  std::string mesh;
  protozero::pbf_writer writer(mesh);
  writer.add_fixed32(1, packet.from);
  writer.add_fixed32(2, packet.to);
  if (channel) writer.add_uint32(3, channel);
  writer.add_bytes(field, content.data(), content.size());
  writer.add_fixed32(6, packet.id);
  writer.add_uint32(9, packet.hop_limit);
  if (packet.priority) writer.add_enum(11, packet.priority);
  if (packet.pki) writer.add_bool(17, true);
  std::string envelope;
  protozero::pbf_writer outer(envelope);
  outer.add_message(1, mesh);
  outer.add_string(2, packet.channel);
  outer.add_string(3, packet.gateway);
  return to_bytes(envelope);
}

inline Bytes decoded(const Packet& packet) { return envelope_of(packet, 4, data_of(packet), 0); }

// Under the key of a channel with the packet's name and this PSK.
inline Bytes encrypted(const Packet& packet, const Bytes& psk = kDefaultPsk) {
  const bridge::meshtastic::ChannelKey key(packet.channel, *bridge::meshtastic::expand_psk(psk));
  const auto cipher = key.crypt(packet.from, packet.id, as_bytes(data_of(packet)));
  return envelope_of(packet, 5, as_text(cipher), key.hash());
}

inline bridge::meshtastic::KeyRing default_keys() {
  return *bridge::meshtastic::KeyRing::create({{"LongFast", kDefaultPsk}, {"MediumFast", kDefaultPsk}});
}

// A file of the shared folder; nothing where that is absent.
inline std::optional<std::string> read_shared(const std::string& path) {
  const char* const given = std::getenv("TULPAR_SHARED");
  const auto root =
      given ? std::filesystem::path(given) : std::filesystem::path(TULPAR_SOURCE_DIR) / "../shared";
  std::ifstream file(root / path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline Bytes from_base64(std::string_view text) {
  Bytes out(text.size() / 4 * 3);
  EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(text.data()),
                  static_cast<int>(text.size()));
  if (text.ends_with("=")) out.pop_back();
  if (text.ends_with("==")) out.pop_back();
  return out;
}

struct Recorded {
  std::string topic;
  Bytes payload;
  std::int64_t seconds = 0;
};

// One of the recordings ("corpus/mesh_decoded.jsonl" …); empty where the shared folder is absent.
inline std::vector<Recorded> read_recording(const std::string& path) {
  std::vector<Recorded> all;
  const auto file = read_shared(path).value_or("");
  for (std::size_t start = 0, end = 0; (end = file.find('\n', start)) != std::string::npos; start = end + 1) {
    const auto line = boost::json::parse(std::string_view(file).substr(start, end - start)).as_object();
    all.push_back({std::string(line.at("topic").as_string()), from_base64(line.at("b64").as_string()),
                   line.at("t").to_number<std::int64_t>()});
  }
  return all;
}

}  // namespace tulpar::test
