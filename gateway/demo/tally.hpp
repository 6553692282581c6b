// SPDX-License-Identifier: Apache-2.0
//
// Counts what one lane was given by the mesh and what of it came out on the internet, each message once.
//
// Plain value, one owner. Grows with what has not come out, 50 bytes a message.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_set>

#include "config/base.hpp"

namespace tulpar::demo {

// Names a message by its payload: the packet's id is in it, so no two are the same.
using MessageKey = std::size_t;
inline MessageKey key_of(ByteView payload) { return std::hash<std::string_view>{}(as_text(payload)); }

class Tally {
 public:
  void published(MessageKey key) {
    ++published_;
    out_.insert(key);
  }
  // False for a copy, and for what was never published here.
  bool arrived(MessageKey key) { return out_.erase(key) > 0; }

  std::uint64_t published() const { return published_; }
  std::uint64_t delivered() const { return published_ - out_.size(); }
  // Not delivered, without the `left_out` of which somebody says that they never will be.
  std::uint64_t waiting(std::uint64_t left_out = 0) const {
    return out_.size() - std::min<std::uint64_t>(left_out, out_.size());
  }

 private:
  std::uint64_t published_ = 0;
  std::unordered_set<MessageKey> out_;
};

}  // namespace tulpar::demo
