// SPDX-License-Identifier: Apache-2.0
#include "queue/flow.hpp"

#include <algorithm>

namespace tulpar::queue {
namespace {

constexpr auto accepted_before = [](const auto& a, const auto& b) { return a.accepted < b.accepted; };

}  // namespace

Entry Flow::entry(const Kept& kept) const {
  return {.id = kept.id,
          .number = kept.number,
          .accepted = kept.accepted,
          .bytes = kept.bytes,
          .kind = kept.kind,
          .node = node_,
          .cls = cls_,
          .flagged = kept.flagged != 0};
}

Flow::Place Flow::place_of(MessageId id) const {
  return std::lower_bound(entries_.begin(), entries_.end(), id,
                          [](const Kept& kept, MessageId wanted) { return kept.id < wanted; });
}

void Flow::insert(const Entry& entry) {
  const bool newest = entries_.empty() || entries_.back().id < entry.id;
  const Place place = newest ? entries_.cend() : place_of(entry.id);
  const bool after_its_elders = place == entries_.cbegin() || !accepted_before(entry, *std::prev(place));
  const bool before_its_juniors = place == entries_.cend() || !accepted_before(*place, entry);
  in_order_ = in_order_ && after_its_elders && before_its_juniors;
  oldest_ = entries_.empty() ? entry.accepted : std::min(oldest_, entry.accepted);
  node_ = entry.node;
  cls_ = entry.cls;
  entries_.insert(place, {.id = entry.id,
                          .number = entry.number,
                          .accepted = entry.accepted,
                          .kind = entry.kind,
                          .bytes = entry.bytes,
                          .flagged = entry.flagged});
}

Entry Flow::take_at(Place place) {
  const Entry taken = entry(*place);
  entries_.erase(place);
  if (in_order_ || taken.accepted == oldest_) find_oldest();
  return taken;
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

std::optional<Entry> Flow::find(MessageId id) const {
  const Place place = place_of(id);
  if (place == entries_.end() || place->id != id) return std::nullopt;
  return entry(*place);
}

std::optional<Entry> Flow::take(MessageId id) {
  const Place place = place_of(id);
  if (place == entries_.end() || place->id != id) return std::nullopt;
  return take_at(place);
}

void Flow::take_until(BootTime limit, std::deque<Entry>& out) {
  const auto old = [limit](const Kept& kept) { return kept.accepted <= limit; };
  if (in_order_) {
    for (; !entries_.empty() && old(entries_.front()); entries_.pop_front()) out.push_back(front());
  } else {
    for (const Kept& kept : entries_)
      if (old(kept)) out.push_back(entry(kept));
    std::erase_if(entries_, old);
  }
  find_oldest();
}

}  // namespace tulpar::queue
