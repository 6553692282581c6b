// SPDX-License-Identifier: Apache-2.0
//
// Emergencies on their way to a peer that the disk has not taken yet (DESIGN.md §6): their bodies, and what
// becomes of them when the store has them after all, under the same number.
//
// Pure, on the loop thread. Entries made here have negative ids, which no row of the store has; the rest of the
// link treats them like any other. In memory only: after a crash the mesh's broker, to which nothing was
// acknowledged, delivers them again. At most queue::kNumbersAside of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "queue/message.hpp"

namespace tulpar::link {

inline bool is_unstored(const queue::Entry& entry) { return entry.id < 0; }

class Unstored {
 public:
  // REQUIRES: message.number is one that was set aside, and not here.
  queue::Entry add(const queue::NewMessage& message, BootTime now);
  bool contains(std::uint64_t number) const { return held_.contains(number); }
  // Those that the peer does not have yet, oldest first.
  std::vector<queue::Entry> undelivered() const;
  // Of entries made here, those that are still here.
  std::vector<queue::Body> bodies(const std::vector<queue::Entry>& entries) const;

  // The store has it as `stored`. What the caller does: nothing for one in a batch.
  void stored(const queue::Entry& stored) { held_.at(stored.number).stored = stored; }
  // What the store has of it; nothing: not yet.
  std::optional<queue::Entry> row(std::uint64_t number) const;
  // The peer has it; these frame bytes are to be written with its row when there is one.
  void delivered(std::uint64_t number, std::int64_t frame_bytes);
  std::optional<std::int64_t> delivered_for(std::uint64_t number) const { return held_.at(number).frame_bytes; }
  queue::Entry entry(std::uint64_t number) const { return held_.at(number).entry; }
  void forget(std::uint64_t number) { held_.erase(number); }

  // No disk will have it: it is forgotten once it is delivered.
  void abandon(std::uint64_t number);

  // Those that no disk has yet, delivered or not.
  std::size_t size() const;

 private:
  struct Held {
    queue::Entry entry;
    queue::Body body;
    std::optional<queue::Entry> stored;
    std::optional<std::int64_t> frame_bytes;  // delivered
    bool abandoned = false;
  };
  std::map<std::uint64_t, Held> held_;  // by message number
};

}  // namespace tulpar::link
