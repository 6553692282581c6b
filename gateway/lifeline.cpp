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

void Lifeline::admit(std::uint64_t fingerprint, queue::NewMessage& message) {
  message.number = 0;
  if (!concerns(message)) return;
  // The same words twice in a group: the second is another message.
  if (group_.contains(fingerprint)) return;
  auto held = held_.find(fingerprint);
  if (held == held_.end()) {
    const auto number = hooks_.number();
    if (!number) return;
    message.number = *number;
    held = held_.emplace(fingerprint, Held{message}).first;
  }
  message.number = held->second.message.number;
  group_.insert(fingerprint);
}

void Lifeline::begin(BootTime now) { late_at_ = now + kPatience; }

void Lifeline::stored(std::uint64_t fingerprint, bool kept) {
  if (!group_.erase(fingerprint)) return;
  const auto held = held_.extract(fingerprint);
  if (!kept && !held.mapped().sent) hooks_.give_up(held.mapped().message.number);
}

void Lifeline::committed() {
  group_.clear();
  late_at_.reset();
}

void Lifeline::refused(BootTime now) {
  send_group(now);
  group_.clear();
  late_at_.reset();
}

bool Lifeline::overheard(std::uint64_t fingerprint) {
  const auto held = held_.find(fingerprint);
  if (held == held_.end()) return false;
  send(held->second);
  return true;
}

void Lifeline::overheard(std::uint64_t fingerprint, queue::NewMessage message) {
  if (!concerns(message)) return;
  const auto number = hooks_.number();
  if (!number) return spdlog::error("an emergency waits for the disk: no more can leave without it");
  message.number = *number;
  send(held_.emplace(fingerprint, Held{std::move(message)}).first->second);
}

void Lifeline::send(Held& held) {
  if (std::exchange(held.sent, true)) return;
  spdlog::warn("{}: an emergency goes out from memory, the disk does not take it", held.message.topic);
  hooks_.send(held.message);
}

void Lifeline::send_group(BootTime now) {
  trouble_ = now;
  for (const auto fingerprint : group_) send(held_.at(fingerprint));
  if (!std::exchange(listening_, true)) hooks_.listen(true);
}

void Lifeline::step(BootTime now) {
  if (late_at_ && now >= *late_at_) {
    send_group(now);
    // Still late, and the trouble lasts.
    late_at_ = now + kListening / 2;
  }
  if (listening_ && now - *trouble_ >= kListening) {
    listening_ = false;
    hooks_.listen(false);
  }
  if (trouble_ && now - *trouble_ >= kRemembered) {
    trouble_.reset();
    std::erase_if(held_, [this](const auto& item) { return !group_.contains(item.first); });
  }
}

std::optional<BootTime> Lifeline::next_wake() const {
  std::optional<BootTime> wake = late_at_;
  if (trouble_) {
    const BootTime over = *trouble_ + (listening_ ? kListening : kRemembered);
    wake = wake ? std::min(*wake, over) : over;
  }
  return wake;
}

}  // namespace tulpar
