// SPDX-License-Identifier: Apache-2.0
//
// One node's queued messages inside one class, in the order of their ids: the order in which they came.
//
// Pure, on the loop thread only. Owns its entries; about 42 bytes each (a deque's blocks, no index beside it).
// Acceptance times usually grow with the ids. They need not (a message from a peer has waited there before):
// then the oldest is found by a scan after each loss of the oldest, until the flow is in order again.
#pragma once

#include <deque>
#include <optional>

#include "queue/message.hpp"

namespace tulpar::queue {

class Flow {
 public:
  bool empty() const { return entries_.empty(); }
  // The entry that leaves first. REQUIRES: !empty().
  const Entry& front() const { return entries_.front(); }
  // When the oldest was accepted. REQUIRES: !empty().
  BootTime oldest() const { return oldest_; }
  const std::deque<Entry>& entries() const { return entries_; }

  // Puts it at the place of its id. REQUIRES: not there already.
  void insert(const Entry& entry);
  // REQUIRES: !empty().
  Entry take_front();
  // REQUIRES: !empty().
  Entry take_oldest();
  const Entry* find(MessageId id) const;
  std::optional<Entry> take(MessageId id);
  // Takes out what was accepted at `limit` or before and appends it to `out`.
  void take_until(BootTime limit, std::deque<Entry>& out);

 private:
  using Place = std::deque<Entry>::const_iterator;
  Place place_of(MessageId id) const;
  Entry take_at(Place place);
  void find_oldest();

  std::deque<Entry> entries_;  // ascending ids
  BootTime oldest_{};
  bool in_order_ = true;  // acceptance times ascend too
};

}  // namespace tulpar::queue
