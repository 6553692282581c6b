// SPDX-License-Identifier: Apache-2.0
#include "bridge/meshtastic/crypto.hpp"

#include <fmt/format.h>

#include <stdexcept>

#include "bridge/meshtastic/data.hpp"

namespace tulpar::bridge::meshtastic {
namespace {

constexpr std::size_t kAes128 = 16;
constexpr std::size_t kAes256 = 32;

// The key behind the PSK "AQ==" of every fresh node: public, so it hides nothing.
constexpr std::array<std::uint8_t, kAes128> kDefaultKey = {0xd4, 0xf1, 0xbb, 0x3a, 0x20, 0x29, 0x07, 0x59,
                                                           0xf0, 0xbc, 0xff, 0xab, 0xcf, 0x4e, 0x69, 0x01};

void put_le32(std::uint8_t* out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

void require(bool ok, const char* operation) {
  if (!ok) throw std::runtime_error(fmt::format("OpenSSL: {} failed", operation));
}

}  // namespace

Result<Bytes> expand_psk(ByteView psk) {
  if (psk.size() > kAes256) {
    return Error{fmt::format("a channel key has {} bytes; 0, 1, 16 or 32 are allowed", psk.size())};
  }
  if (psk.empty() || (psk.size() == 1 && psk[0] == 0)) return Bytes{};
  if (psk.size() == 1) {
    Bytes key(kDefaultKey.begin(), kDefaultKey.end());
    key.back() = static_cast<std::uint8_t>(key.back() + psk[0] - 1);
    return key;
  }
  Bytes key(psk.begin(), psk.end());
  key.resize(psk.size() <= kAes128 ? kAes128 : kAes256);
  return key;
}

std::uint8_t channel_hash(std::string_view name, ByteView key) {
  std::uint8_t hash = 0;
  for (const auto byte : as_bytes(name)) hash ^= byte;
  for (const auto byte : key) hash ^= byte;
  return hash;
}

Nonce packet_nonce(NodeNum from, std::uint32_t id) {
  Nonce nonce{};
  put_le32(nonce.data(), id);
  put_le32(nonce.data() + 8, from);
  return nonce;
}

ChannelKey::ChannelKey(std::string_view name, ByteView key) : hash_(channel_hash(name, key)) {
  if (key.empty()) return;
  context_.reset(EVP_CIPHER_CTX_new());
  require(context_ != nullptr, "EVP_CIPHER_CTX_new");
  const auto* cipher = key.size() == kAes256 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
  require(EVP_EncryptInit_ex(context_.get(), cipher, nullptr, key.data(), nullptr) == 1,
          "setting a channel key");
}

Bytes ChannelKey::crypt(NodeNum from, std::uint32_t id, ByteView bytes) const {
  if (!context_ || bytes.empty()) return {bytes.begin(), bytes.end()};
  Bytes out(bytes.size());
  const auto nonce = packet_nonce(from, id);
  // The key schedule stays; only the counter starts anew.
  require(EVP_EncryptInit_ex(context_.get(), nullptr, nullptr, nullptr, nonce.data()) == 1, "setting a nonce");
  int written = 0;
  require(EVP_EncryptUpdate(context_.get(), out.data(), &written, bytes.data(),
                            static_cast<int>(bytes.size())) == 1,
          "AES-CTR");
  return out;
}

Result<KeyRing> KeyRing::create(const std::vector<config::Channel>& channels) {
  KeyRing ring;
  Bytes primary;
  for (const auto& channel : channels) {
    auto key = expand_psk(channel.psk);
    if (!key) return Error{fmt::format("channel \"{}\": {}", channel.name, key.error().message)};
    if (&channel == &channels.front()) primary = *key;
    ring.keys_.emplace_back(channel.name, channel.psk.empty() ? primary : *key);
  }
  return ring;
}

std::optional<Bytes> KeyRing::open(std::uint32_t hash, NodeNum from, std::uint32_t id, ByteView cipher) const {
  for (const auto& key : keys_) {
    if (key.hash() != hash) continue;
    auto plain = key.crypt(from, id, cipher);
    const auto data = decode_data(plain);
    if (data && data->portnum != kUnknownPort) return plain;
  }
  return std::nullopt;
}

}  // namespace tulpar::bridge::meshtastic
