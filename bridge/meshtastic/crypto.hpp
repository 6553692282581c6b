// SPDX-License-Identifier: Apache-2.0
//
// Channel keys: expanding a PSK, the channel's hash, AES-CTR, and trying the keys known here on a packet.
//
// A ChannelKey keeps one OpenSSL context with its key schedule; it and the KeyRing are movable, not copyable,
// and belong to one thread. Nothing here authenticates: CTR has no tag, so an opened packet is only "parses as
// Data". Throws std::runtime_error only where OpenSSL itself fails (no memory, no AES).
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/meshtastic/topic.hpp"
#include "config/types.hpp"

namespace tulpar::bridge::meshtastic {

// The AES key of a PSK: 16 or 32 bytes; none for "no encryption" (0 bytes, or one byte 0). One byte n >= 1 is
// the firmware's public key with n - 1 added to its last byte; 2..15 and 17..31 bytes are filled up with zeros.
// More than 32 bytes are an error.
Result<Bytes> expand_psk(ByteView psk);

// One byte of every packet, XOR over name and expanded key. A hint only: unrelated channels share hashes.
std::uint8_t channel_hash(std::string_view name, ByteView key);

using Nonce = std::array<std::uint8_t, 16>;
// Packet id (64 bits), sender (32 bits), both little-endian; then a 32-bit block counter from 0.
Nonce packet_nonce(NodeNum from, std::uint32_t id);

class ChannelKey {
 public:
  // `key` as expand_psk() gives it.
  ChannelKey(std::string_view name, ByteView key);

  std::uint8_t hash() const { return hash_; }
  // Encrypts and decrypts: CTR is its own inverse.
  Bytes crypt(NodeNum from, std::uint32_t id, ByteView bytes) const;

 private:
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  };
  std::uint8_t hash_;
  std::unique_ptr<EVP_CIPHER_CTX, Free> context_;  // none: the channel is not encrypted
};

class KeyRing {
 public:
  KeyRing() = default;  // knows no key
  // In the configuration's order. As on a node the first channel is the primary one: a later one without a PSK
  // uses its key.
  static Result<KeyRing> create(const std::vector<config::Channel>& channels);

  // The plain Data under the first key whose hash fits and which makes it a Data with a port number; nothing if
  // none.
  std::optional<Bytes> open(std::uint32_t hash, NodeNum from, std::uint32_t id, ByteView cipher) const;

 private:
  std::vector<ChannelKey> keys_;
};

}  // namespace tulpar::bridge::meshtastic
