// SPDX-License-Identifier: Apache-2.0
//
// The numbers of a sender's messages: which are finished, on disk, and which of those set aside are given
// (queue/message_numbers.hpp; FORMAT.md, "Numbers and who keeps them").
//
// Pure, on the loop thread. The settled mark is below every number that is waiting, in flight, or ended but not
// yet on disk.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>

#include "queue/message_numbers.hpp"
#include "queue/number_set.hpp"

namespace tulpar::link {

class MessageNumbers {
 public:
  // `next`: above all numbers given so far, in a block that is reserved on disk.
  explicit MessageNumbers(std::uint64_t next)
      : next_(next), accepted_end_(next), next_aside_(queue::first_aside(next)) {}

  // While the queue is loaded: what waits, then loaded() once; what does not wait is finished.
  void waits(std::uint64_t number) { waiting_.add(number); }
  void loaded();

  // All numbers below are finished, on disk, and never sent again.
  std::uint64_t settled() const { return finished_.low(); }
  // Above all numbers that were sent.
  std::uint64_t next() const { return next_; }
  void sent(std::uint64_t number) { next_ = std::max(next_, number + 1); }
  void finish(std::uint64_t number);

  // The store has given this number. They come in order, but for those set aside: what is left out was given to
  // a transaction that failed, and is finished.
  void accepted(std::uint64_t number);
  // The store has begun a block: the next number is not below `first`.
  void begin_block(std::uint64_t first);
  // One that is set aside; nothing: all are given.
  std::optional<std::uint64_t> take_aside();
  std::uint64_t asides_left() const { return queue::block_end(next_aside_ - 1) - next_aside_; }

 private:
  std::uint64_t next_;
  std::uint64_t accepted_end_;      // all ordinary numbers below were given
  std::uint64_t next_aside_;        // in the block of accepted_end_
  std::set<std::uint64_t> asides_;  // given and not finished
  queue::NumberSet waiting_;        // while they are loaded
  queue::NumberSet finished_;       // durable
};

}  // namespace tulpar::link
