// SPDX-License-Identifier: Apache-2.0
//
// Knows the latest message of each node and kind in a class where only the latest counts, and what it replaces.
//
// Pure, on the loop thread only. Holds ids, no entries. Kind 0 is never indexed. O(log n) a call.
// A latest one that was picked is remembered: an older one that is given back later is stale and must not
// follow it. What is remembered is bounded by what is queued (or kRemembered); beyond, all of it is forgotten.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "queue/message.hpp"

namespace tulpar::queue {

class LatestIndex {
 public:
  // Picked ones that are remembered in any case: some minutes of a busy mesh's telemetry in flight.
  static constexpr std::size_t kRemembered = 1024;

  void added(const Entry& entry);
  // It left to be sent and may come back.
  void picked(const Entry& entry);
  // It left for good without being sent (expired, removed): what it replaced is the latest again if still
  // there.
  void gone(const Entry& entry);
  // True iff a later one of the same node and kind is known.
  bool replaced(const Entry& entry) const;
  // Entries that were replaced, or may have been, since the last call; they need not be queued any more.
  std::vector<std::pair<NodeId, MessageId>> take_suspects();

 private:
  using Key = std::pair<NodeId, std::uint32_t>;
  struct Latest {
    MessageId id = 0;
    bool queued = true;
  };
  void forget_picked();

  std::map<Key, Latest> latest_;
  std::size_t remembered_ = 0;  // of latest_, those that are not queued
  std::vector<std::pair<NodeId, MessageId>> suspects_;
};

}  // namespace tulpar::queue
