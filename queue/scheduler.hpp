// SPDX-License-Identifier: Apache-2.0
//
// Chooses, at the last moment, which queued messages leave next towards one destination (a peer or the edge).
//
// Pure: takes `now`, knows no clock, thread, timer or database. On the loop thread only. Owns the index of what
// is queued there; bodies stay in the store. A picked entry is the caller's until it is given back. Invariants:
// (1) emergency is picked before anything else, and no pause, hold or closed class ever withholds it;
// (2) inside a class the nodes share by bytes (fair_queue.hpp), in each node the oldest goes first;
// (3) a class with work gets its minimum share at least; the rest goes by weight, urgent first (shares.hpp);
// (4) TTL, class and pause are read at pick time: a change applies to what is already queued;
// (5) what was given back is picked again before the younger messages of its node.
#pragma once

#include <optional>
#include <vector>

#include "config/types.hpp"
#include "queue/class_queue.hpp"
#include "queue/message.hpp"
#include "queue/shares.hpp"

namespace tulpar::queue {

// One class, as seen from outside. Bytes are topic + payload.
struct ClassState {
  std::size_t queued = 0;
  std::uint64_t queued_bytes = 0;
  std::optional<BootTime> oldest;  // when the oldest was accepted
  bool paused = false;
  bool closed = false;  // the plan holds it for now
};

struct PickLimits {
  std::size_t max_bytes = 1;      // not exceeded, but the first entry is taken whatever its size
  std::size_t company_bytes = 0;  // of these at most so many for what rides along from other classes
  std::size_t max_messages = 1;   // at least 1
};

class Scheduler {
 public:
  // REQUIRES: classes is not empty; its first is the emergency class. A copy is kept.
  explicit Scheduler(const std::vector<config::MessageClass>& classes);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // A message was stored. Ids grow within a node and class. REQUIRES: not queued here already.
  void add(const Entry& entry);
  // A picked message returns to its old place (its batch was given up); its class is ready at once.
  void give_back(const Entry& entry);

  // Whose turn the next frame is: the class to pick from, or one in `unfinished`, whose transfer was begun and
  // goes on. Ask before each frame: a transfer is interrupted exactly where another class is ahead of it.
  // Nothing: wait; all is held, paused or closed (an unfinished transfer, too, stops when its class is).
  std::optional<ClassId> ready(BootTime now, const ClassSet& unfinished = {}) const;
  // Picks for one batch: from the class that ready(now) names, then, if it is not emergency, whatever waits in
  // the others (their hold ends early), most urgent first, up to the limits. An emergency travels with
  // emergencies only: company would delay it. Empty iff !ready(now). Nothing that has expired is picked.
  std::vector<Entry> pick(BootTime now, const PickLimits& limits);
  // A frame of `bytes`, as on the wire, left for a transfer of `cls`; `unfinished` as for ready(). From these
  // calls alone ready() knows who has had its share: without them the more urgent class always goes first.
  void sent(ClassId cls, std::uint64_t bytes, const ClassSet& unfinished = {});
  // Corrects a node's account inside its class: what its messages really cost minus their Entry::bytes.
  void charge(ClassId cls, NodeId node, std::int64_t bytes);

  // Takes out what outlived its TTL, at most `limit`. Due when next_wake() says so, and before an eviction.
  std::vector<Entry> take_expired(BootTime now, std::size_t limit = 1000);
  // Takes out the entries that a later one of the same class, node and kind replaces (classes with
  // latest_only), also if that one is picked. Those that are picked themselves stay.
  std::vector<Entry> take_conflated();
  // Takes out the oldest of the least urgent class, then of the next, but never emergency, until `bytes` are
  // freed; what has expired first.
  std::vector<Entry> take_for_eviction(std::uint64_t bytes);
  // Takes one out; nothing if it is not queued here (unknown, or picked).
  std::optional<Entry> remove(MessageId id);
  // Moves one to another class; false if it is not queued here.
  bool reclassify(MessageId id, ClassId cls);

  // Emergency cannot be paused or closed: those calls return false and change nothing.
  bool pause(ClassId cls, bool paused);
  bool close(ClassId cls, bool closed);
  // New policy for the classes. REQUIRES: same number and order.
  void set_policy(const std::vector<config::MessageClass>& classes);

  // When ready() may change by time alone (a hold ends), or something expires. Nothing: only by calls.
  std::optional<BootTime> next_wake(BootTime now) const;
  ClassState state(ClassId cls) const;
  std::size_t size() const;

 private:
  // Setting aside what has expired is invisible from outside, so that ready() can do it.
  mutable std::vector<ClassQueue> classes_;
  Shares shares_;
};

}  // namespace tulpar::queue
