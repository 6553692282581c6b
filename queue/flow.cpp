// SPDX-License-Identifier: Apache-2.0
#include "queue/flow.hpp"

#include <algorithm>

namespace tulpar::queue {
namespace {

bool accepted_before(const Entry& a, const Entry& b) { return a.accepted < b.accepted; }

}  // namespace

Flow::Place Flow::place_of(MessageId id) const {
  return std::lower_bound(entries_.begin(), entries_.end(), id,
                          [](const Entry& entry, MessageId wanted) { return entry.id < wanted; });
}

void Flow::insert(const Entry& entry) {
  const bool newest = entries_.empty() || entries_.back().id < entry.id;
  const Place place = newest ? entries_.cend() : place_of(entry.id);
  const bool after_its_elders = place == entries_.cbegin() || !accepted_before(entry, *std::prev(place));
  const bool before_its_juniors = place == entries_.cend() || !accepted_before(*place, entry);
  in_order_ = in_order_ && after_its_elders && before_its_juniors;
  oldest_ = entries_.empty() ? entry.accepted : std::min(oldest_, entry.accepted);
  entries_.insert(place, entry);
}

Entry Flow::take_at(Place place) {
  const Entry entry = *place;
  entries_.erase(place);
  if (in_order_ || entry.accepted == oldest_) find_oldest();
  return entry;
}

void Flow::find_oldest() {
  if (!in_order_) in_order_ = std::is_sorted(entries_.begin(), entries_.end(), accepted_before);
  if (entries_.empty()) return;
  oldest_ = in_order_ ? entries_.front().accepted
                      : std::min_element(entries_.begin(), entries_.end(), accepted_before)->accepted;
}

Entry Flow::take_front() { return take_at(entries_.cbegin()); }

Entry Flow::take_oldest() {
  if (in_order_) return take_front();
  return take_at(std::min_element(entries_.cbegin(), entries_.cend(), accepted_before));
}

const Entry* Flow::find(MessageId id) const {
  const Place place = place_of(id);
  return place == entries_.end() || place->id != id ? nullptr : &*place;
}

std::optional<Entry> Flow::take(MessageId id) {
  const Place place = place_of(id);
  if (place == entries_.end() || place->id != id) return std::nullopt;
  return take_at(place);
}

void Flow::take_until(BootTime limit, std::deque<Entry>& out) {
  const auto old = [limit](const Entry& entry) { return entry.accepted <= limit; };
  if (in_order_) {
    for (; !entries_.empty() && old(entries_.front()); entries_.pop_front()) out.push_back(entries_.front());
  } else {
    std::copy_if(entries_.begin(), entries_.end(), std::back_inserter(out), old);
    std::erase_if(entries_, old);
  }
  find_oldest();
}

}  // namespace tulpar::queue
