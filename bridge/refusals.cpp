// SPDX-License-Identifier: Apache-2.0
#include "bridge/refusals.hpp"

#include <algorithm>

namespace tulpar::bridge {

using queue::ClassId;
using queue::Entry;
using queue::kEmergency;

void Refusals::add(const Entry& entry, BootTime now) {
  asked_.erase(entry.id);
  if (!entries_.emplace(Key{entry.cls, entry.id}, entry).second) return;
  bytes_[entry.cls] += entry.bytes;
  Kind& kind = this->kind(entry.cls);
  if (kind.size++ > 0) return;
  kind.tries = std::max(kind.tries, 1u);
  kind.due = now + wait_after(kind.tries);
}

std::optional<Entry> Refusals::take_due(BootTime now, bool emergency, const Open& open) {
  Kind& kind = kinds_[emergency ? 0 : 1];
  if (kind.size == 0 || kind.due > now) return std::nullopt;
  kind.due = now + wait_after(++kind.tries);
  const auto begin = emergency ? entries_.cbegin() : first(kEmergency + 1);
  const auto end = emergency ? first(kEmergency + 1) : entries_.cend();
  const auto search = [&](Entries::const_iterator at, Entries::const_iterator stop) {
    while (at != stop && !open(at->first.first)) at = first(static_cast<ClassId>(at->first.first + 1));
    return at;
  };
  auto found =
      search(entries_.upper_bound(std::max(kind.last, Key{emergency ? kEmergency : kEmergency + 1, 0})), end);
  if (found == end) found = search(begin, end);
  if (found == end) return std::nullopt;
  kind.last = found->first;
  asked_.insert(found->second.id);
  return take(found);
}

std::vector<Entry> Refusals::passed(const Entry& entry) {
  if (asked_.erase(entry.id) == 0) return {};
  const bool emergency = entry.cls == kEmergency;
  std::vector<Entry> all;
  for (auto at = emergency ? entries_.cbegin() : first(kEmergency + 1);
       at != entries_.cend() && (at->first.first == kEmergency) == emergency;) {
    const auto next = std::next(at);
    all.push_back(take(at));
    at = next;
  }
  kind(entry.cls).tries = 0;
  return all;
}

void Refusals::reconnected(BootTime now) {
  asked_.clear();
  for (Kind& kind : kinds_) {
    kind.tries = 0;
    kind.due = now;
  }
}

std::optional<Entry> Refusals::remove(queue::MessageId id) {
  for (auto cls = entries_.cbegin(); cls != entries_.cend();
       cls = first(static_cast<ClassId>(cls->first.first + 1))) {
    const auto found = entries_.find({cls->first.first, id});
    if (found != entries_.end()) return take(found);
  }
  return std::nullopt;
}

std::vector<Entry> Refusals::take_expired(BootTime now, const std::vector<config::MessageClass>& classes) {
  std::vector<Entry> expired;
  for (auto at = entries_.cbegin(); at != entries_.cend();) {
    const auto next = std::next(at);
    const Millis ttl = classes.at(at->first.first).ttl;
    if (ttl > Millis{0} && at->second.accepted <= now - ttl) expired.push_back(take(at));
    at = next;
  }
  return expired;
}

std::optional<Entry> Refusals::take_least_urgent() {
  const auto cls = least_urgent();
  return cls ? std::optional(take(first(*cls))) : std::nullopt;
}

std::optional<ClassId> Refusals::least_urgent() const {
  if (entries_.empty() || entries_.rbegin()->first.first == kEmergency) return std::nullopt;
  return entries_.rbegin()->first.first;
}

std::optional<BootTime> Refusals::next_wake() const {
  std::optional<BootTime> wake;
  for (const Kind& kind : kinds_)
    if (kind.size > 0) wake = std::min(wake.value_or(BootTime::max()), kind.due);
  return wake;
}

std::uint64_t Refusals::bytes(ClassId cls) const {
  const auto found = bytes_.find(cls);
  return found == bytes_.end() ? 0 : found->second;
}

std::optional<BootTime> Refusals::oldest(ClassId cls) const {
  const auto found = first(cls);
  if (found == entries_.end() || found->first.first != cls) return std::nullopt;
  return found->second.accepted;
}

Entry Refusals::take(Entries::const_iterator at) {
  const Entry entry = at->second;
  entries_.erase(at);
  bytes_[entry.cls] -= entry.bytes;
  --kind(entry.cls).size;
  return entry;
}

Millis Refusals::wait_after(unsigned tries) {
  Millis wait = kFirstWait;
  for (; tries > 1 && wait < kLongestWait; --tries) wait *= 2;
  return std::min(wait, kLongestWait);
}

}  // namespace tulpar::bridge
