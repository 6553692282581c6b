// SPDX-License-Identifier: Apache-2.0
#include "queue/number_set.hpp"

#include <algorithm>
#include <iterator>

namespace tulpar::queue {

bool NumberSet::contains(std::uint64_t number) const {
  if (number < low_) return true;
  auto after = runs_.upper_bound(number);
  return after != runs_.begin() && number < std::prev(after)->second;
}

bool NumberSet::add(std::uint64_t first, std::uint64_t count) {
  std::uint64_t end = first + count;
  first = std::max(first, low_);
  if (first >= end) return false;
  auto run = runs_.upper_bound(first);
  if (run != runs_.begin() && std::prev(run)->second >= first) {
    --run;
    if (run->second >= end) return false;
    first = run->first;
  }
  while (run != runs_.end() && run->first <= end) {
    end = std::max(end, run->second);
    run = runs_.erase(run);
  }
  runs_.emplace_hint(run, first, end);
  absorb();
  return true;
}

void NumberSet::raise(std::uint64_t low) {
  if (low <= low_) return;
  low_ = low;
  while (!runs_.empty() && runs_.begin()->first < low_) {
    const std::uint64_t end = runs_.begin()->second;
    runs_.erase(runs_.begin());
    if (end > low_) runs_.emplace(low_, end);
  }
  absorb();
}

void NumberSet::absorb() {
  while (!runs_.empty() && runs_.begin()->first == low_) {
    low_ = runs_.begin()->second;
    runs_.erase(runs_.begin());
  }
}

}  // namespace tulpar::queue
