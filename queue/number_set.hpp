// SPDX-License-Identifier: Apache-2.0
//
// A set of 64-bit numbers that is nearly a prefix: everything below a low-water mark, and intervals above it.
//
// Plain value; not shared between threads. Used for the message numbers that a receiver has, for the batch
// numbers that are closed, and for the message numbers that a sender has finished. Invariant: intervals are
// disjoint, not adjacent to each other, and begin above the low-water mark.
#pragma once

#include <cstdint>
#include <map>
#include <set>

namespace tulpar::queue {

class NumberSet {
 public:
  // Everything below `low` is in the set. Numbers begin at 1.
  explicit NumberSet(std::uint64_t low = 1) : low_(low) {}

  bool contains(std::uint64_t number) const;
  // Where intervals came, went or grew: their first numbers, before or after. For who keeps a copy elsewhere.
  using Touched = std::set<std::uint64_t>;
  // Adds first..first+count-1; true iff the set grew. REQUIRES: first + count does not wrap.
  bool add(std::uint64_t first, std::uint64_t count = 1, Touched* touched = nullptr);
  // Raises the low-water mark to at least `low`; forgets the intervals below it.
  void raise(std::uint64_t low, Touched* touched = nullptr);

  std::uint64_t low() const { return low_; }
  // One above the highest number in the set; low() when there are no intervals.
  std::uint64_t end() const { return runs_.empty() ? low_ : runs_.rbegin()->second; }
  // Intervals [first, end) above the low-water mark, ascending.
  const std::map<std::uint64_t, std::uint64_t>& runs() const { return runs_; }

 private:
  void absorb(Touched* touched);
  std::uint64_t low_;
  std::map<std::uint64_t, std::uint64_t> runs_;
};

}  // namespace tulpar::queue
