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

bool NumberSet::add(std::uint64_t first, std::uint64_t count, Touched* touched) {
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
    if (touched) touched->insert(run->first);
    run = runs_.erase(run);
  }
  if (touched) touched->insert(first);
  runs_.emplace_hint(run, first, end);
  absorb(touched);
  return true;
}

void NumberSet::raise(std::uint64_t low, Touched* touched) {
  if (low <= low_) return;
  low_ = low;
  while (!runs_.empty() && runs_.begin()->first < low_) {
    const auto [first, end] = *runs_.begin();
    if (touched) touched->insert(first);
    runs_.erase(runs_.begin());
    if (end > low_) runs_.emplace(low_, end);
  }
  absorb(touched);
}

void NumberSet::absorb(Touched* touched) {
  while (!runs_.empty() && runs_.begin()->first == low_) {
    if (touched) touched->insert(low_);
    low_ = runs_.begin()->second;
    runs_.erase(runs_.begin());
  }
}

}  // namespace tulpar::queue
