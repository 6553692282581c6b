// SPDX-License-Identifier: Apache-2.0
#include "bridge/fingerprint.hpp"

#include <openssl/sha.h>

#include <array>

namespace tulpar::bridge {
namespace {

std::uint64_t as_number(const std::uint8_t* bytes) {
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | bytes[i];
  return number;
}

}  // namespace

std::uint64_t fingerprint(ByteView bytes) {
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest;
  SHA256(bytes.data(), bytes.size(), digest.data());
  return as_number(digest.data());
}

std::uint64_t fingerprint(std::string_view topic, ByteView payload) {
  // Two digests instead of a copy of the payload; their order and size are fixed, so the border is unambiguous.
  std::array<std::uint8_t, 2 * SHA256_DIGEST_LENGTH> parts;
  SHA256(reinterpret_cast<const std::uint8_t*>(topic.data()), topic.size(), parts.data());
  SHA256(payload.data(), payload.size(), parts.data() + SHA256_DIGEST_LENGTH);
  return fingerprint(ByteView{parts});
}

}  // namespace tulpar::bridge
