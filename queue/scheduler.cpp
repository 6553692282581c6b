// SPDX-License-Identifier: Apache-2.0
#include "queue/scheduler.hpp"

#include <algorithm>
#include <stdexcept>

namespace tulpar::queue {

Scheduler::Scheduler(const std::vector<config::MessageClass>& classes) : shares_(classes) {
  if (classes.empty() || classes.size() > ClassSet{}.size())
    throw std::invalid_argument("scheduler: the number of classes must be 1..256");
  for (const auto& policy : classes) classes_.emplace_back(policy, classes_.size() == kEmergency);
}

void Scheduler::add(const Entry& entry) { classes_.at(entry.cls).add(entry); }

void Scheduler::give_back(const Entry& entry) { classes_.at(entry.cls).give_back(entry); }

std::optional<ClassId> Scheduler::ready(BootTime now, const ClassSet& unfinished) const {
  ClassSet candidates;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    classes_[i].expire(now);
    candidates[i] = classes_[i].ready(now) || (unfinished[i] && classes_[i].open());
  }
  return shares_.turn(candidates);
}

namespace {

// Moves from `from` to `out` what comes next there, as long as there is room for it.
void take_what_fits(ClassQueue& from, std::size_t& room, std::size_t most, std::vector<Entry>& out) {
  while (from.live() && out.size() < most) {
    const std::size_t bytes = from.next().bytes;
    if (bytes > room && !out.empty()) return;
    room -= std::min(room, bytes);
    out.push_back(from.take_next());
  }
}

}  // namespace

std::vector<Entry> Scheduler::pick(BootTime now, const PickLimits& limits) {
  std::vector<Entry> picked;
  const auto cls = ready(now);
  if (!cls) return picked;
  std::size_t room = limits.max_bytes;
  take_what_fits(classes_.at(*cls), room, limits.max_messages, picked);
  if (*cls == kEmergency) return picked;
  room = std::min(room, limits.company_bytes);
  for (ClassQueue& other : classes_)
    if (other.open()) take_what_fits(other, room, limits.max_messages, picked);
  return picked;
}

void Scheduler::sent(ClassId cls, std::uint64_t bytes, const ClassSet& unfinished) {
  ClassSet waiting;
  for (std::size_t i = 0; i < classes_.size(); ++i)
    waiting[i] = (classes_[i].live() || unfinished[i]) && classes_[i].open();
  shares_.sent(cls, bytes, waiting);
}

void Scheduler::charge(ClassId cls, NodeId node, std::int64_t bytes) { classes_.at(cls).charge(node, bytes); }

std::vector<Entry> Scheduler::take_expired(BootTime now, std::size_t limit) {
  std::vector<Entry> expired;
  for (ClassQueue& cls : classes_) {
    cls.expire(now);
    cls.take_expired(expired, limit - expired.size());
  }
  return expired;
}

std::vector<Entry> Scheduler::take_conflated() {
  std::vector<Entry> replaced;
  for (ClassQueue& cls : classes_) cls.take_conflated(replaced);
  return replaced;
}

std::vector<Entry> Scheduler::take_for_eviction(std::uint64_t bytes) {
  std::vector<Entry> evicted;
  std::uint64_t freed = 0;
  for (std::size_t i = classes_.size() - 1; i > kEmergency; --i) {
    while (freed < bytes && classes_[i].size() > 0) {
      evicted.push_back(classes_[i].take_oldest());
      freed += evicted.back().bytes;
    }
  }
  return evicted;
}

std::optional<Entry> Scheduler::remove(MessageId id) {
  for (ClassQueue& cls : classes_)
    if (const auto entry = cls.take(id)) return entry;
  return std::nullopt;
}

bool Scheduler::reclassify(MessageId id, ClassId cls) {
  ClassQueue& target = classes_.at(cls);
  auto entry = remove(id);
  if (!entry) return false;
  entry->cls = cls;
  target.add(*entry);
  return true;
}

bool Scheduler::pause(ClassId cls, bool paused) { return classes_.at(cls).pause(paused); }

bool Scheduler::close(ClassId cls, bool closed) { return classes_.at(cls).close(closed); }

void Scheduler::set_policy(const std::vector<config::MessageClass>& classes) {
  if (classes.size() != classes_.size())
    throw std::invalid_argument("scheduler: the number of classes is fixed");
  for (std::size_t i = 0; i < classes_.size(); ++i) classes_[i].set_policy(classes[i]);
  shares_.set_policy(classes);
}

std::optional<BootTime> Scheduler::next_wake(BootTime now) const {
  std::optional<BootTime> wake;
  for (const ClassQueue& cls : classes_)
    if (const auto next = cls.next_wake(now)) wake = std::min(wake.value_or(BootTime::max()), *next);
  return wake;
}

ClassState Scheduler::state(ClassId cls) const {
  const ClassQueue& queue = classes_.at(cls);
  return {.queued = queue.size(),
          .queued_bytes = queue.bytes(),
          .oldest = queue.oldest(),
          .paused = queue.paused(),
          .closed = queue.closed()};
}

std::size_t Scheduler::size() const {
  std::size_t sum = 0;
  for (const ClassQueue& cls : classes_) sum += cls.size();
  return sum;
}

}  // namespace tulpar::queue
