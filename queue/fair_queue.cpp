// SPDX-License-Identifier: Apache-2.0
#include "queue/fair_queue.hpp"

#include <algorithm>
#include <limits>

namespace tulpar::queue {
namespace {

// An empty message costs something too, or a node could send any number of them in one turn.
std::int64_t cost(const Entry& entry) { return std::max<std::int64_t>(1, entry.bytes); }

}  // namespace

void FairQueue::insert(const Entry& entry) {
  auto known = nodes_.find(entry.node);
  if (known == nodes_.end()) {
    ring_.push_back({.id = entry.node, .flow = {}});
    known = nodes_.emplace(entry.node, std::prev(ring_.end())).first;
    ring_.back().flow.insert(entry);
    by_age_.emplace(entry.accepted, entry.node);
  } else {
    const BootTime before = known->second->flow.oldest();
    known->second->flow.insert(entry);
    reindex(known->second, before);
  }
  ++size_;
  bytes_ += entry.bytes;
}

void FairQueue::reindex(Ring::iterator node, BootTime before) {
  if (!node->flow.empty() && node->flow.oldest() == before) return;
  by_age_.erase({before, node->id});
  if (!node->flow.empty()) {
    by_age_.emplace(node->flow.oldest(), node->id);
  } else {
    nodes_.erase(node->id);
    ring_.erase(node);
  }
}

void FairQueue::after_take(Ring::iterator node, BootTime before, const Entry& entry) {
  --size_;
  bytes_ -= entry.bytes;
  reindex(node, before);
}

Entry FairQueue::next() {
  std::size_t passed = 0;
  while (ring_.front().deficit < cost(ring_.front().flow.front())) {
    if (passed++ == ring_.size()) {
      skip_rounds();
      passed = 0;
    } else {
      ring_.front().deficit += kQuantum;
      ring_.splice(ring_.end(), ring_, ring_.begin());
    }
  }
  return ring_.front().flow.front();
}

// A whole round passed and nobody could send: grants all the rounds at once that would pass like it, or a
// message of 1 MiB would take 4,096 of them.
void FairQueue::skip_rounds() {
  std::int64_t rounds = std::numeric_limits<std::int64_t>::max();
  for (const Node& node : ring_)
    rounds = std::min(rounds, (cost(node.flow.front()) - node.deficit + kQuantum - 1) / kQuantum);
  if (rounds > 0)
    for (Node& node : ring_) node.deficit += rounds * kQuantum;
}

Entry FairQueue::take_next() {
  next();
  const auto node = ring_.begin();
  const BootTime before = node->flow.oldest();
  const Entry entry = node->flow.take_front();
  node->deficit -= cost(entry);
  after_take(node, before, entry);
  return entry;
}

Entry FairQueue::take_oldest() {
  const auto [before, id] = *by_age_.begin();
  const auto node = nodes_.at(id);
  const Entry entry = node->flow.take_oldest();
  after_take(node, before, entry);
  return entry;
}

std::optional<Entry> FairQueue::find(NodeId node, MessageId id) const {
  const auto known = nodes_.find(node);
  return known == nodes_.end() ? std::nullopt : known->second->flow.find(id);
}

std::optional<Entry> FairQueue::take(NodeId node, MessageId id) {
  const auto known = nodes_.find(node);
  if (known == nodes_.end()) return std::nullopt;
  const auto place = known->second;
  const BootTime before = place->flow.oldest();
  const auto entry = place->flow.take(id);
  if (entry) after_take(place, before, *entry);
  return entry;
}

std::optional<Entry> FairQueue::take(MessageId id) {
  for (const Node& node : ring_)
    if (node.flow.find(id)) return take(node.id, id);
  return std::nullopt;
}

void FairQueue::take_until(BootTime limit, std::deque<Entry>& out) {
  while (!empty() && oldest() <= limit) {
    const auto [before, id] = *by_age_.begin();
    const auto node = nodes_.at(id);
    const std::size_t had = out.size();
    node->flow.take_until(limit, out);
    for (std::size_t i = had; i < out.size(); ++i) bytes_ -= out[i].bytes;
    size_ -= out.size() - had;
    reindex(node, before);
  }
}

void FairQueue::charge(NodeId node, std::int64_t bytes) {
  const auto known = nodes_.find(node);
  if (known != nodes_.end()) known->second->deficit -= bytes;
}

}  // namespace tulpar::queue
