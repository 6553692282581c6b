// SPDX-License-Identifier: Apache-2.0
//
// The numbers of a sender's batches: which may be used, which are closed, which are void (FORMAT.md, "Numbers
// and who keeps them").
//
// Pure, on the loop thread. A number is taken from a block that was reserved on disk, and never twice. It is
// closed by the peer's acknowledgement; one that was given up is void, and closed once the peer confirms that.
#pragma once

#include <cstdint>
#include <set>

#include "gateway/link/frame.hpp"
#include "queue/number_set.hpp"

namespace tulpar::link {

// What an acknowledgement names.
queue::NumberSet numbers_of(const Ack& ack);

class BatchNumbers {
 public:
  // Reserved at a time. A start leaves the rest of the block before unused, and voids it in one item.
  static constexpr std::uint64_t kBlock = 256;
  // Of what is reserved, so much is for urgent batches: they can leave although the disk fails and no more can
  // be reserved.
  static constexpr std::uint64_t kForUrgent = 64;

  // As the store has it: all below `floor` are closed, those below `next` may have been used in the life
  // before, `end` ends the reserved block.
  BatchNumbers(std::uint64_t floor, std::uint64_t next, std::uint64_t end);

  bool available(bool urgent) const { return next_ + (urgent ? 0 : kForUrgent) < reserved_; }
  // REQUIRES: available(true).
  std::uint64_t take() { return next_++; }
  std::uint64_t next() const { return next_; }
  const queue::NumberSet& closed() const { return closed_; }

  // True when another block is to be reserved; the answer has to follow, however long it takes.
  bool wants_block();
  void on_reserved(std::uint64_t end);

  void close(std::uint64_t number) { closed_.add(number); }
  void give_up(std::uint64_t number);
  // This direction has a new incarnation, of which the peer knows no number: all below the next one are closed.
  void renew();

  void describe(Greeting& greeting);
  // Error: the peer, as it greets, has numbers that it was never told of, or lacks some that it confirmed.
  Result<void> check(const queue::NumberSet& there) const;
  // Voids among what the peer has closed are over; true: the floor has risen.
  bool confirm(const queue::NumberSet& there);

  void on_connected() { untold_ = voids_; }
  bool voids_due() const { return !untold_.empty(); }
  // False: the frame is full, some have to go into the next one.
  bool put_voids(FrameBuilder& frame);

 private:
  queue::NumberSet closed_;         // acknowledged, or voided and confirmed
  std::set<std::uint64_t> voids_;   // given up in this life, not confirmed by the peer yet
  std::set<std::uint64_t> untold_;  // of these, in this session
  // Of the life before: floor..void_end_-1, confirmed by the number void_end_-1 alone; equal to the floor:
  // nothing to confirm.
  std::uint64_t void_end_;
  std::uint64_t told_next_ = 1;  // as said in this session's greeting
  std::uint64_t next_, reserved_;
  bool reserving_ = false;
};

}  // namespace tulpar::link
