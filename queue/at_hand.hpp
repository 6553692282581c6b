// SPDX-License-Identifier: Apache-2.0
//
// Bodies of emergencies that were stored just now, so that a disk that hangs or cannot be read does not hold
// them back.
//
// Pure, on the loop thread. At most kMost bytes of topics and payloads; beyond it the oldest are left to the
// disk, which has them all.
#pragma once

#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "queue/message.hpp"

namespace tulpar::queue {

template <class Body>
class AtHand {
 public:
  static constexpr std::size_t kMost = 1u << 20;

  void add(const Entry& entry, Body body) {
    if (entry.bytes > kMost) return;
    bytes_ += entry.bytes;
    held_.emplace(entry.id, std::pair(std::move(body), std::size_t{entry.bytes}));
    while (bytes_ > kMost) forget(held_.begin()->first);
  }
  // nullptr: not here. Valid until the next change.
  const Body* find(MessageId id) const {
    const auto held = held_.find(id);
    return held == held_.end() ? nullptr : &held->second.first;
  }
  std::vector<MessageId> ids() const {
    std::vector<MessageId> ids;
    for (const auto& [id, held] : held_) ids.push_back(id);
    return ids;
  }
  // It waits no more; ids that are not here do nothing.
  void forget(MessageId id) {
    if (const auto held = held_.extract(id)) bytes_ -= held.mapped().second;
  }

 private:
  std::map<MessageId, std::pair<Body, std::size_t>> held_;
  std::size_t bytes_ = 0;
};

}  // namespace tulpar::queue
