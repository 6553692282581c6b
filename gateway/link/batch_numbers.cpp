// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/batch_numbers.hpp"

#include <algorithm>

namespace tulpar::link {
namespace {

// Reserving takes a commit; so many are left for the batches that are made meanwhile.
constexpr std::uint64_t kLeast = BatchNumbers::kForUrgent + 32;

// True if every number of `inner` is in `outer`.
bool contains(const queue::NumberSet& outer, const queue::NumberSet& inner) {
  if (outer.low() < inner.low()) return false;
  queue::NumberSet sum = outer;
  for (const auto& [first, end] : inner.runs())
    if (sum.add(first, end - first)) return false;
  return true;
}

}  // namespace

queue::NumberSet numbers_of(const Ack& ack) {
  queue::NumberSet set(ack.cumulative + 1);
  std::uint64_t at = set.low();
  for (const auto& [gap, count] : ack.runs) {
    set.add(at + gap, count);
    at += gap + count;
  }
  return set;
}

BatchNumbers::BatchNumbers(std::uint64_t floor, std::uint64_t next, std::uint64_t end)
    : closed_(floor), void_end_(floor), next_(next), reserved_(end) {
  // One fresh number ends the void of the life before; only its acknowledgement confirms it.
  if (floor < next) void_end_ = ++next_;
}

bool BatchNumbers::wants_block() {
  if (reserving_ || reserved_ - next_ >= kLeast) return false;
  return reserving_ = true;
}

void BatchNumbers::on_reserved(std::uint64_t end) {
  reserving_ = false;
  reserved_ = std::max(reserved_, end);
}

void BatchNumbers::give_up(std::uint64_t number) {
  voids_.insert(number);
  untold_.insert(number);
}

void BatchNumbers::renew() {
  voids_.clear();
  untold_.clear();
  closed_ = queue::NumberSet(next_);
  void_end_ = next_;
}

void BatchNumbers::describe(Greeting& greeting) {
  greeting.floor = closed_.low();
  greeting.void_count = void_end_ > closed_.low() ? void_end_ - closed_.low() : 0;
  greeting.next = told_next_ = next_;
}

Result<void> BatchNumbers::check(const queue::NumberSet& there) const {
  if (there.end() > told_next_) return Error{"the peer has batches of ours that we never sent"};
  if (!contains(there, closed_)) return Error{"the peer no longer has batches that it acknowledged"};
  return {};
}

bool BatchNumbers::confirm(const queue::NumberSet& there) {
  const std::uint64_t floor = closed_.low();
  if (void_end_ > floor && there.contains(void_end_ - 1)) closed_.add(floor, void_end_ - floor);
  std::erase_if(voids_, [&](std::uint64_t number) {
    if (!there.contains(number)) return false;
    closed_.add(number);
    untold_.erase(number);
    return true;
  });
  return closed_.low() > floor;
}

bool BatchNumbers::put_voids(FrameBuilder& frame) {
  while (!untold_.empty()) {
    if (!frame.put(Void{*untold_.begin(), 1})) return false;
    untold_.erase(untold_.begin());
  }
  return true;
}

}  // namespace tulpar::link
