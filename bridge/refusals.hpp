// SPDX-License-Identifier: Apache-2.0
//
// What one broker refuses for now: kept apart from the queue, and one of them asked again from time to time.
//
// Pure: takes `now`, knows no socket and no store; on the loop thread. An access list is a state of the broker,
// not of the message, and an SOS is given up for no answer. Emergencies and all others are asked apart, so that
// many of the one kind do not delay the other; inside, in turn, so that one that never passes hides no other.
// Once one passes, its whole kind goes back into the queue.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "config/types.hpp"
#include "queue/message.hpp"

namespace tulpar::bridge {

class Refusals {
 public:
  // A publication a minute costs a broker nothing, and an SOS waits no longer for a list that was corrected.
  static constexpr Millis kFirstWait = std::chrono::seconds(1);
  static constexpr Millis kLongestWait = std::chrono::minutes(1);

  // Refused, for the first time or again.
  void add(const queue::Entry& entry, BootTime now);
  // One that is due to be asked again, of a class that is `open`; it is the caller's.
  using Open = std::function<bool(queue::ClassId)>;
  std::optional<queue::Entry> take_due(BootTime now, bool emergency, const Open& open);
  // The broker took it: if it had been refused before, all of its kind, to be queued again.
  std::vector<queue::Entry> passed(const queue::Entry& entry);
  // It ended in another way.
  void ended(queue::MessageId id) { asked_.erase(id); }
  // A new connection may be another broker, or the same with another list: all are due at once.
  void reconnected(BootTime now);

  std::optional<queue::Entry> remove(queue::MessageId id);
  // What outlived its class's TTL (0: never), by class.
  std::vector<queue::Entry> take_expired(BootTime now, const std::vector<config::MessageClass>& classes);
  // The oldest of the least urgent class, never an emergency; nothing: none is here.
  std::optional<queue::Entry> take_least_urgent();
  // The least urgent class here; nothing: only emergencies, or none.
  std::optional<queue::ClassId> least_urgent() const;

  // When one is due; nothing: none is here.
  std::optional<BootTime> next_wake() const;
  std::size_t size() const { return entries_.size(); }
  std::size_t emergencies() const { return kinds_[0].size; }
  std::uint64_t bytes(queue::ClassId cls) const;
  std::optional<BootTime> oldest(queue::ClassId cls) const;

 private:
  using Key = std::pair<queue::ClassId, queue::MessageId>;
  using Entries = std::map<Key, queue::Entry>;
  struct Kind {
    std::size_t size = 0;
    unsigned tries = 0;  // since one was taken
    BootTime due{};
    Key last{};  // asked last
  };
  Kind& kind(queue::ClassId cls) { return kinds_[cls == queue::kEmergency ? 0 : 1]; }
  Entries::const_iterator first(queue::ClassId cls) const { return entries_.lower_bound({cls, 0}); }
  queue::Entry take(Entries::const_iterator at);
  static Millis wait_after(unsigned tries);

  Entries entries_;
  std::array<Kind, 2> kinds_{};  // emergencies, all others
  std::map<queue::ClassId, std::uint64_t> bytes_;
  std::set<queue::MessageId> asked_;
};

}  // namespace tulpar::bridge
