// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/history.hpp"

#include <openssl/evp.h>

#include <algorithm>

#include "gateway/link/wire.hpp"

namespace tulpar::link {
namespace {

Base make_base(const std::vector<std::pair<std::uint64_t, const Digest*>>& parts, Bytes text) {
  Writer name;
  for (const auto& [batch, digest] : parts) {
    name.u64(batch);
    name.bytes(*digest);
  }
  for (int shift = 24; shift >= 0; shift -= 8) name.u8(static_cast<std::uint8_t>(text.size() >> shift));
  return {std::move(text), sha256(name.view())};
}

}  // namespace

Digest sha256(ByteView bytes) {
  Digest digest;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return digest;
}

const Base& empty_base() {
  static const Base base = make_base({}, {});
  return base;
}

void History::add(std::uint64_t batch, Bytes plain) {
  const Digest digest = sha256(plain);
  const std::size_t size = plain.size();
  if (!parts_.emplace(batch, Part{std::move(plain), digest}).second) return;
  size_ += size;
  // The oldest goes only while what remains still fills the window: both ends then agree on its last bytes.
  while (size_ - parts_.begin()->second.plain.size() >= keep_) {
    size_ -= parts_.begin()->second.plain.size();
    parts_.erase(parts_.begin());
  }
}

void History::remove(std::uint64_t first, std::uint64_t count) {
  for (auto part = parts_.lower_bound(first); part != parts_.end() && part->first < first + count;) {
    size_ -= part->second.plain.size();
    part = parts_.erase(part);
  }
}

void History::clear() {
  parts_.clear();
  size_ = 0;
}

std::optional<BaseName> History::name(const std::vector<std::uint64_t>& open) const {
  if (parts_.empty()) return std::nullopt;
  BaseName name{0, parts_.rbegin()->first, {}};
  std::size_t size = 0;
  for (auto part = parts_.rbegin(); part != parts_.rend() && size < kBaseWindow; ++part) {
    name.oldest = part->first;
    size += part->second.plain.size();
  }
  for (const auto batch : open)
    if (batch > name.oldest && batch < name.newest) name.holes.push_back(batch);
  return name;
}

Base History::base(const BaseName& name) const {
  const auto named = [&](std::uint64_t batch) {
    return batch >= name.oldest && batch <= name.newest &&
           !std::binary_search(name.holes.begin(), name.holes.end(), batch);
  };
  std::vector<std::pair<std::uint64_t, const Part*>> chosen;  // newest first
  std::size_t size = 0;
  for (auto part = parts_.rbegin(); part != parts_.rend() && size < kBaseWindow; ++part) {
    if (!named(part->first)) continue;
    chosen.emplace_back(part->first, &part->second);
    size += part->second.plain.size();
  }
  if (chosen.empty()) return empty_base();
  std::reverse(chosen.begin(), chosen.end());
  Bytes text;
  text.reserve(size);
  std::vector<std::pair<std::uint64_t, const Digest*>> parts;
  for (const auto& [batch, part] : chosen) {
    text.insert(text.end(), part->plain.begin(), part->plain.end());
    parts.emplace_back(batch, &part->digest);
  }
  if (text.size() > kBaseWindow) text.erase(text.begin(), text.end() - kBaseWindow);
  return make_base(parts, std::move(text));
}

}  // namespace tulpar::link
