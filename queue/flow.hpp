// SPDX-License-Identifier: Apache-2.0
//
// One node's queued messages inside one class, in the order of their ids: the order in which they came.
//
// Pure, on the loop thread only. Owns its entries; 33 bytes each (what they have in common is kept once, and
// there is no index beside the deque's blocks), because a router may have a million of them in memory.
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
  Entry front() const { return entry(entries_.front()); }
  // When the oldest was accepted. REQUIRES: !empty().
  BootTime oldest() const { return oldest_; }
  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for (const Kept& kept : entries_) visit(entry(kept));
  }

  // Puts it at the place of its id. REQUIRES: not there already; of the same node and class as the others.
  void insert(const Entry& entry);
  // REQUIRES: !empty().
  Entry take_front();
  // REQUIRES: !empty().
  Entry take_oldest();
  std::optional<Entry> find(MessageId id) const;
  std::optional<Entry> take(MessageId id);
  // Takes out what was accepted at `limit` or before and appends it to `out`.
  void take_until(BootTime limit, std::deque<Entry>& out);

 private:
  // An Entry without its node and its class.
  struct Kept {
    MessageId id;
    std::uint64_t number;
    BootTime accepted;
    std::uint32_t kind;
    std::uint32_t bytes : 31;  // config::kMaxPayload is 2^20
    std::uint32_t flagged : 1;
  };
  static_assert(sizeof(Kept) == 32);
  using Place = std::deque<Kept>::const_iterator;
  Entry entry(const Kept& kept) const;
  Place place_of(MessageId id) const;
  Entry take_at(Place place);
  void find_oldest();

  NodeId node_ = 0;
  ClassId cls_ = 0;
  std::deque<Kept> entries_;  // ascending ids
  BootTime oldest_{};
  bool in_order_ = true;  // acceptance times ascend too
};

}  // namespace tulpar::queue
