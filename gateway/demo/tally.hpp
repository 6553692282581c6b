// SPDX-License-Identifier: Apache-2.0
//
// Counts what one lane was given by the mesh and what of it came out on the internet, each message once;
// remembers the latest.
//
// Plain value, one owner. Grows with what has not come out, about 100 bytes a message.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "config/base.hpp"
#include "gateway/demo/state.hpp"

namespace tulpar::demo {

// Names a message by its payload: the packet's id is in it, so no two are the same.
using MessageKey = std::size_t;
inline MessageKey key_of(ByteView payload) { return std::hash<std::string_view>{}(as_text(payload)); }

class Tally {
 public:
  // Of lines; as many as the tallest screen may show.
  static constexpr std::size_t kLatest = 60;

  void published(MessageKey key, FeedLine line) {
    ++published_;
    if (line.human) ++human_;
    out_.emplace(key, std::move(line));
  }
  // False for a copy, and for what was never published here.
  bool arrived(MessageKey key) {
    auto node = out_.extract(key);
    if (node.empty()) return false;
    FeedLine& line = node.mapped();
    if (line.human) ++human_delivered_;
    // Machines talk so much that they would push aside what people say: a run of theirs is one line.
    if (!line.human && !latest_.empty() && !latest_.front().human) {
      line.run += latest_.front().run;
      latest_.pop_front();
    }
    latest_.push_front(std::move(line));
    if (latest_.size() > kLatest) latest_.pop_back();
    return true;
  }

  std::uint64_t published() const { return published_; }
  std::uint64_t delivered() const { return published_ - out_.size(); }
  // Of these what people wrote.
  std::uint64_t human() const { return human_; }
  std::uint64_t human_delivered() const { return human_delivered_; }
  // Not delivered, without the `left_out` of which somebody says that they never will be.
  std::uint64_t waiting(std::uint64_t left_out = 0) const {
    return out_.size() - std::min<std::uint64_t>(left_out, out_.size());
  }
  // What was delivered, the newest first.
  const std::deque<FeedLine>& latest() const { return latest_; }

 private:
  std::uint64_t published_ = 0, human_ = 0, human_delivered_ = 0;
  std::unordered_map<MessageKey, FeedLine> out_;
  std::deque<FeedLine> latest_;
};

}  // namespace tulpar::demo
