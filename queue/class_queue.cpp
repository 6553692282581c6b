// SPDX-License-Identifier: Apache-2.0
#include "queue/class_queue.hpp"

#include <algorithm>
#include <utility>

namespace tulpar::queue {

ClassQueue::ClassQueue(config::MessageClass policy, bool untouchable)
    : policy_(std::move(policy)), untouchable_(untouchable) {}

void ClassQueue::set_policy(config::MessageClass policy) {
  policy_ = std::move(policy);
  // The new TTL may be longer, and what was not conflated before may be now.
  for (const Entry& entry : std::exchange(expired_, {})) queue_.insert(entry);
  latest_ = {};
  if (conflates()) queue_.for_each([this](const Entry& entry) { latest_.added(entry); });
}

void ClassQueue::add(const Entry& entry) {
  queue_.insert(entry);
  if (conflates()) latest_.added(entry);
}

void ClassQueue::give_back(const Entry& entry) {
  add(entry);
  due_ = true;
}

void ClassQueue::forget(const Entry& entry) {
  if (conflates()) latest_.gone(entry);
  if (queue_.empty()) due_ = false;
}

void ClassQueue::expire(BootTime now) {
  if (policy_.ttl <= Millis{0} || queue_.empty() || queue_.oldest() > now - policy_.ttl) return;
  const auto had = static_cast<std::ptrdiff_t>(expired_.size());
  queue_.take_until(now - policy_.ttl, expired_);
  std::for_each(expired_.begin() + had, expired_.end(), [this](const Entry& entry) { forget(entry); });
}

bool ClassQueue::ready(BootTime now) const {
  if (!live() || !open()) return false;
  return untouchable_ || due_ || queue_.oldest() + policy_.hold <= now;
}

Entry ClassQueue::take_next() {
  const Entry entry = queue_.take_next();
  if (conflates()) latest_.picked(entry);
  if (queue_.empty()) due_ = false;
  return entry;
}

void ClassQueue::take_expired(std::vector<Entry>& out, std::size_t limit) {
  const auto end = expired_.begin() + static_cast<std::ptrdiff_t>(std::min(limit, expired_.size()));
  out.insert(out.end(), expired_.begin(), end);
  expired_.erase(expired_.begin(), end);
}

void ClassQueue::take_conflated(std::vector<Entry>& out) {
  // A suspect whose successor has gone meanwhile is the latest again; that can make a suspect of another one.
  for (auto suspects = latest_.take_suspects(); !suspects.empty(); suspects = latest_.take_suspects()) {
    for (const auto& [node, id] : suspects) {
      const auto entry = queue_.find(node, id);
      if (!entry) continue;
      if (!latest_.replaced(*entry)) {
        latest_.added(*entry);
        continue;
      }
      out.push_back(*queue_.take(node, id));
      forget(out.back());
    }
  }
}

Entry ClassQueue::take_oldest() {
  if (!expired_.empty()) {
    const Entry entry = expired_.front();
    expired_.pop_front();
    return entry;
  }
  const Entry entry = queue_.take_oldest();
  forget(entry);
  return entry;
}

std::optional<Entry> ClassQueue::take(MessageId id) {
  if (const auto entry = queue_.take(id)) {
    forget(*entry);
    return entry;
  }
  const auto dead = std::find_if(expired_.begin(), expired_.end(), [id](const Entry& e) { return e.id == id; });
  if (dead == expired_.end()) return std::nullopt;
  const Entry entry = *dead;
  expired_.erase(dead);
  return entry;
}

bool ClassQueue::pause(bool paused) {
  if (!untouchable_) paused_ = paused;
  return !untouchable_;
}

bool ClassQueue::close(bool closed) {
  if (!untouchable_) closed_ = closed;
  return !untouchable_;
}

std::optional<BootTime> ClassQueue::next_wake(BootTime now) const {
  if (!expired_.empty()) return now;
  std::optional<BootTime> wake;
  if (!live()) return wake;
  if (policy_.ttl > Millis{0}) wake = std::max(now, queue_.oldest() + policy_.ttl);
  if (open() && !ready(now)) wake = std::min(wake.value_or(BootTime::max()), queue_.oldest() + policy_.hold);
  return wake;
}

std::uint64_t ClassQueue::bytes() const {
  std::uint64_t sum = queue_.bytes();
  for (const Entry& entry : expired_) sum += entry.bytes;
  return sum;
}

std::optional<BootTime> ClassQueue::oldest() const {
  std::optional<BootTime> oldest;
  if (live()) oldest = queue_.oldest();
  for (const Entry& entry : expired_) oldest = std::min(oldest.value_or(BootTime::max()), entry.accepted);
  return oldest;
}

}  // namespace tulpar::queue
