// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/message_numbers.hpp"

#include <utility>

namespace tulpar::link {

void MessageNumbers::loaded() {
  std::uint64_t at = waiting_.low();
  for (const auto& [first, end] : waiting_.runs()) {
    finished_.add(at, first - at);
    at = end;
  }
  if (at < next_) finished_.add(at, next_ - at);
  waiting_ = queue::NumberSet();
}

void MessageNumbers::finish(std::uint64_t number) {
  finished_.add(number);
  asides_.erase(number);
}

void MessageNumbers::accepted(std::uint64_t number) {
  if (queue::is_aside(number) || number < accepted_end_) return;
  begin_block(number);
  accepted_end_ = number + 1;
}

void MessageNumbers::begin_block(std::uint64_t first) {
  std::uint64_t from = std::exchange(accepted_end_, first);
  if (first >= queue::block_end(from)) {
    // Of the numbers set aside in the block before none is given any more.
    for (auto aside = asides_.lower_bound(from); aside != asides_.end(); ++aside) {
      finished_.add(from, *aside - from);
      from = *aside + 1;
    }
    next_aside_ = queue::first_aside(first);
  }
  finished_.add(from, first - from);
}

std::optional<std::uint64_t> MessageNumbers::take_aside() {
  if (asides_left() == 0) return std::nullopt;
  asides_.insert(next_aside_);
  return next_aside_++;
}

}  // namespace tulpar::link
