// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/unstored.hpp"

#include <algorithm>
#include <limits>

namespace tulpar::link {
namespace {

// Rows are numbered from 1 and never reach 2^62: the sum is negative, and grows with the number.
constexpr queue::MessageId kBelowRows = std::numeric_limits<queue::MessageId>::min();

}  // namespace

queue::Entry Unstored::add(const queue::NewMessage& message, BootTime now) {
  const queue::Entry entry{.id = kBelowRows + static_cast<queue::MessageId>(message.number),
                           .number = message.number,
                           .accepted = now - message.age,
                           .bytes = static_cast<std::uint32_t>(message.topic.size() + message.payload.size()),
                           .cls = message.cls,
                           .flagged = message.flagged};
  held_[message.number] = {
      .entry = entry, .body = {entry.id, message.topic, message.payload}, .stored = {}, .frame_bytes = {}};
  return entry;
}

std::vector<queue::Body> Unstored::bodies(const std::vector<queue::Entry>& entries) const {
  std::vector<queue::Body> bodies;
  for (const auto& entry : entries)
    if (const auto held = held_.find(entry.number); held != held_.end()) bodies.push_back(held->second.body);
  return bodies;
}

std::vector<queue::Entry> Unstored::undelivered() const {
  std::vector<queue::Entry> entries;
  for (const auto& [number, held] : held_)
    if (!held.frame_bytes) entries.push_back(held.entry);
  return entries;
}

std::optional<queue::Entry> Unstored::row(std::uint64_t number) const {
  const auto held = held_.find(number);
  return held == held_.end() ? std::nullopt : held->second.stored;
}

void Unstored::delivered(std::uint64_t number, std::int64_t frame_bytes) {
  auto& held = held_.at(number);
  if (held.abandoned) return forget(number);
  held.frame_bytes = frame_bytes;
  held.body = {};
}

void Unstored::abandon(std::uint64_t number) {
  auto& held = held_.at(number);
  if (held.frame_bytes) return forget(number);
  held.abandoned = true;
}

std::size_t Unstored::size() const {
  return static_cast<std::size_t>(std::count_if(held_.begin(), held_.end(), [](const auto& item) {
    return !item.second.stored && !item.second.abandoned;
  }));
}

}  // namespace tulpar::link
