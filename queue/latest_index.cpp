// SPDX-License-Identifier: Apache-2.0
#include "queue/latest_index.hpp"

#include <algorithm>

namespace tulpar::queue {

void LatestIndex::added(const Entry& entry) {
  if (entry.kind == 0) return;
  const auto [place, first] = latest_.try_emplace({entry.node, entry.kind}, Latest{.id = entry.id});
  if (first) return;
  Latest& latest = place->second;
  if (entry.id < latest.id) {
    suspects_.emplace_back(entry.node, entry.id);
    return;
  }
  if (!latest.queued) --remembered_;
  if (latest.queued && latest.id < entry.id) suspects_.emplace_back(entry.node, latest.id);
  latest = {.id = entry.id};
}

void LatestIndex::picked(const Entry& entry) {
  const auto place = latest_.find({entry.node, entry.kind});
  if (place == latest_.end() || place->second.id != entry.id || !place->second.queued) return;
  place->second.queued = false;
  ++remembered_;
  if (remembered_ > std::max(kRemembered, latest_.size() - remembered_)) forget_picked();
}

void LatestIndex::forget_picked() {
  std::erase_if(latest_, [](const auto& item) { return !item.second.queued; });
  remembered_ = 0;
}

void LatestIndex::gone(const Entry& entry) {
  const auto place = latest_.find({entry.node, entry.kind});
  if (place != latest_.end() && place->second.id == entry.id) latest_.erase(place);
}

bool LatestIndex::replaced(const Entry& entry) const {
  const auto place = latest_.find({entry.node, entry.kind});
  return place != latest_.end() && entry.id < place->second.id;
}

std::vector<std::pair<NodeId, MessageId>> LatestIndex::take_suspects() { return std::exchange(suspects_, {}); }

}  // namespace tulpar::queue
