// SPDX-License-Identifier: Apache-2.0
#include "gateway/lifeline.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tulpar {

bool Lifeline::concerns(const queue::NewMessage& message) {
  return message.cls == queue::kEmergency && message.peer != queue::kEdge &&
         message.drop == queue::DropReason::kNone;
}

std::optional<queue::NewMessage> Lifeline::recall(std::uint64_t fingerprint) const {
  const auto held = held_.find(fingerprint);
  return held == held_.end() ? std::nullopt : std::optional(held->second.message);
}

bool Lifeline::is_copy_of_stored(const queue::NewMessage& message) const {
  return message.packet != 0 && packets_.find(message.packet);
}

Lifeline::Held* Lifeline::hold(std::uint64_t fingerprint, queue::NewMessage message) {
  const auto copy = std::find_if(held_.begin(), held_.end(), [&](const auto& item) {
    return message.packet != 0 && item.second.message.packet == message.packet;
  });
  const auto number = copy == held_.end() ? hooks_.number() : copy->second.message.number;
  if (!number) return nullptr;
  message.number = *number;
  const bool sent = copy != held_.end() && copy->second.sent;
  return &held_.emplace(fingerprint, Held{.message = std::move(message), .sent = sent}).first->second;
}

bool Lifeline::has_copy(const Held& one) const {
  return std::any_of(held_.begin(), held_.end(), [&](const auto& item) {
    return &item.second != &one && item.second.message.number == one.message.number;
  });
}

void Lifeline::admit(std::uint64_t fingerprint, queue::NewMessage& message) {
  message.number = 0;
  if (!concerns(message)) return;
  // The same words twice in a group: the second is another message.
  if (group_.contains(fingerprint)) return;
  const auto known = held_.find(fingerprint);
  Held* held = known == held_.end() ? nullptr : &known->second;
  if (!held && is_copy_of_stored(message)) return;
  if (!held) held = hold(fingerprint, message);
  if (!held) return;
  message.number = held->message.number;
  group_.insert(fingerprint);
}

void Lifeline::begin(BootTime now) {
  suspect_at_ = now + kSuspicion;
  late_at_ = now + kPatience;
}

void Lifeline::stored(std::uint64_t fingerprint, bool kept, BootTime now) {
  if (!group_.erase(fingerprint)) return;
  const auto item = held_.extract(fingerprint);
  const Held& held = item.mapped();
  if (held.message.packet) packets_.touch(held.message.packet);
  std::erase_if(echoes_, [&](const auto& echo) { return now - echo.second > kEcho; });
  if (listening_ && !held.heard) echoes_[fingerprint] = now;
  if (kept) {
    for (auto& [other, copy] : held_) copy.stored = copy.stored || copy.message.number == held.message.number;
  } else if (!held.stored && !has_copy(held)) {
    hooks_.give_up(held.message.number);
  }
}

void Lifeline::committed() {
  group_.clear();
  suspect_at_.reset();
  late_at_.reset();
}

void Lifeline::refused(BootTime now) {
  send_group(now);
  committed();
}

bool Lifeline::overheard(std::uint64_t fingerprint, BootTime now) {
  if (const auto held = held_.find(fingerprint); held != held_.end()) {
    held->second.heard = true;
    send(held->second);
    return true;
  }
  const auto echo = echoes_.extract(fingerprint);
  return echo && now - echo.mapped() <= kEcho;
}

void Lifeline::overheard(std::uint64_t fingerprint, queue::NewMessage message) {
  if (!concerns(message) || is_copy_of_stored(message)) return;
  Held* held = hold(fingerprint, std::move(message));
  if (!held) return spdlog::error("an emergency waits for the disk: no more can leave without it");
  held->heard = true;
  send(*held);
}

void Lifeline::send(Held& held) {
  if (held.sent) return;
  for (auto& [fingerprint, copy] : held_) copy.sent = copy.sent || copy.message.number == held.message.number;
  if (held.stored) return;
  spdlog::warn("{}: an emergency goes out from memory, the disk does not take it", held.message.topic);
  hooks_.send(held.message);
}

void Lifeline::listen(BootTime now) {
  trouble_ = now;
  suspect_at_.reset();
  if (!std::exchange(listening_, true)) hooks_.listen(true);
}

void Lifeline::send_group(BootTime now) {
  listen(now);
  for (const auto fingerprint : group_) send(held_.at(fingerprint));
}

// The broker has not delivered them again: they came at QoS 0, or it has forgotten them.
void Lifeline::forget_all() {
  std::set<std::uint64_t> numbers;
  std::erase_if(held_, [&](const auto& item) {
    if (group_.contains(item.first)) return false;
    if (!item.second.stored) numbers.insert(item.second.message.number);
    return true;
  });
  for (const auto& [fingerprint, held] : held_) numbers.erase(held.message.number);
  for (const auto number : numbers) hooks_.give_up(number);
}

void Lifeline::step(BootTime now) {
  if (suspect_at_ && now >= *suspect_at_) listen(now);
  if (late_at_ && now >= *late_at_) {
    send_group(now);
    // Still late, and the trouble lasts.
    late_at_ = now + kListening / 2;
  }
  if (listening_ && now - *trouble_ >= kListening) {
    listening_ = false;
    echoes_.clear();
    hooks_.listen(false);
  }
  if (trouble_ && now - *trouble_ >= kRemembered) {
    trouble_.reset();
    forget_all();
  }
}

std::optional<BootTime> Lifeline::next_wake() const {
  std::optional<BootTime> wake = suspect_at_ ? suspect_at_ : late_at_;
  if (trouble_) {
    const BootTime over = *trouble_ + (listening_ ? kListening : kRemembered);
    wake = wake ? std::min(*wake, over) : over;
  }
  return wake;
}

}  // namespace tulpar
