// SPDX-License-Identifier: Apache-2.0
//
// The queued messages of one class; its nodes share by bytes (deficit round robin), each node's oldest first.
//
// Pure, on the loop thread only. Owns the entries. A node without work has no account: it can neither save up
// nor leave with a debt. O(log nodes) an operation; O(nodes) where a round is skipped or an id searched.
//
// The nodes with work stand in a ring. Whoever is at its head sends as long as its deficit covers its next
// message; then it gets kQuantum more and goes to the back. A large message waits until its node has saved
// enough, so that one node's 100 kB cost it as many turns as another's thousand small messages.
#pragma once

#include <list>
#include <set>
#include <unordered_map>
#include <utility>

#include "queue/flow.hpp"

namespace tulpar::queue {

class FairQueue {
 public:
  // What a node may send a turn, in bytes: one radio packet (Meshtastic carries at most 256), so that nodes
  // alternate packet by packet.
  static constexpr std::int64_t kQuantum = 256;

  FairQueue() = default;
  // A copy's index would point into the original.
  FairQueue(const FairQueue&) = delete;
  FairQueue& operator=(const FairQueue&) = delete;
  FairQueue(FairQueue&&) = default;
  FairQueue& operator=(FairQueue&&) = default;

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::uint64_t bytes() const { return bytes_; }
  // When the oldest was accepted. REQUIRES: !empty().
  BootTime oldest() const { return by_age_.begin()->first; }

  // REQUIRES: not there already.
  void insert(const Entry& entry);
  // The entry whose turn it is, until something is inserted, taken or charged. REQUIRES: !empty().
  Entry next();
  Entry take_next();
  // REQUIRES: !empty().
  Entry take_oldest();
  std::optional<Entry> find(NodeId node, MessageId id) const;
  std::optional<Entry> take(NodeId node, MessageId id);
  std::optional<Entry> take(MessageId id);
  // Takes out what was accepted at `limit` or before and appends it to `out`.
  void take_until(BootTime limit, std::deque<Entry>& out);
  // Takes `bytes` more from a node's deficit (less, if negative); nothing if it has no work.
  void charge(NodeId node, std::int64_t bytes);

  template <class Visitor>
  void for_each(Visitor&& visit) const {
    for (const Node& node : ring_) node.flow.for_each(visit);
  }

 private:
  struct Node {
    NodeId id = 0;
    std::int64_t deficit = kQuantum;
    Flow flow;
  };
  using Ring = std::list<Node>;

  // Brings counts and indexes up to date after `entry` left the flow of `node`, whose oldest was `before`.
  void after_take(Ring::iterator node, BootTime before, const Entry& entry);
  void reindex(Ring::iterator node, BootTime before);
  void skip_rounds();

  Ring ring_;  // no node in it is empty
  std::unordered_map<NodeId, Ring::iterator> nodes_;
  std::set<std::pair<BootTime, NodeId>> by_age_;  // each node's oldest
  std::size_t size_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace tulpar::queue
