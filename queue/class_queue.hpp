// SPDX-License-Identifier: Apache-2.0
//
// One class towards one destination: what is queued, and if it may go now (policy, pause, plan, hold, TTL).
//
// Pure, on the loop thread only. Owns its entries. What has outlived its TTL is set aside by expire() and never
// comes out of take_next(), but stays counted until it is taken, because the books must say what became of it.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "config/types.hpp"
#include "queue/fair_queue.hpp"
#include "queue/latest_index.hpp"

namespace tulpar::queue {

class ClassQueue {
 public:
  // The first class is untouchable: it is never held, paused, closed or conflated, whatever the policy says.
  ClassQueue(config::MessageClass policy, bool untouchable);
  void set_policy(config::MessageClass policy);

  void add(const Entry& entry);
  // As add; and the class is ready until it has run empty: what comes back has waited for company already.
  void give_back(const Entry& entry);

  // Sets aside what has expired. To be called before the questions that take `now` or say "live".
  void expire(BootTime now);
  bool live() const { return !queue_.empty(); }
  // May be sent at all, as far as pause and plan go.
  bool open() const { return untouchable_ || (!paused_ && !closed_); }
  // Has live work that may go now.
  bool ready(BootTime now) const;
  // REQUIRES: live().
  Entry next() { return queue_.next(); }
  Entry take_next();

  void take_expired(std::vector<Entry>& out, std::size_t limit);
  void take_conflated(std::vector<Entry>& out);
  // REQUIRES: size() > 0.
  Entry take_oldest();
  std::optional<Entry> take(MessageId id);
  void charge(NodeId node, std::int64_t bytes) { queue_.charge(node, bytes); }

  // False: untouchable.
  bool pause(bool paused);
  bool close(bool closed);
  bool paused() const { return paused_; }
  bool closed() const { return closed_; }

  std::optional<BootTime> next_wake(BootTime now) const;
  std::size_t size() const { return queue_.size() + expired_.size(); }
  std::uint64_t bytes() const;
  std::optional<BootTime> oldest() const;

 private:
  bool conflates() const { return policy_.latest_only && !untouchable_; }
  void forget(const Entry& entry);

  config::MessageClass policy_;
  bool untouchable_;
  bool paused_ = false, closed_ = false;
  bool due_ = false;  // ready without hold until it runs empty
  FairQueue queue_;
  std::deque<Entry> expired_;  // set aside, ready to be taken
  LatestIndex latest_;
};

}  // namespace tulpar::queue
