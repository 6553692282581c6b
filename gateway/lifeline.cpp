// SPDX-License-Identifier: Apache-2.0
#include "gateway/lifeline.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tulpar {

bool Lifeline::concerns(const queue::NewMessage& message) {
  return message.cls == queue::kEmergency && message.peer != queue::kEdge &&
         message.drop == queue::DropReason::kNone;
}

bool Lifeline::is_copy_of_stored(const queue::NewMessage& message) const {
  return message.packet != 0 && packets_.find(message.packet);
}

bool Lifeline::has_enough_copies(const queue::NewMessage& message) const {
  const auto copies = std::count_if(held_.begin(), held_.end(), [&](const auto& item) {
    return message.packet != 0 && item.second.message.packet == message.packet;
  });
  return static_cast<std::size_t>(copies) >= kMostCopies;
}

Lifeline::Held* Lifeline::known(std::uint64_t fingerprint, bool again, BootTime now) {
  const auto held = held_.find(fingerprint);
  if (held == held_.end()) return nullptr;
  if (group_.contains(fingerprint)) return &held->second;
  if (now - held->second.seen <= (again ? kRemembered : kEcho)) return &held->second;
  forget(held);
  return nullptr;
}

std::optional<queue::NewMessage> Lifeline::recall(std::uint64_t fingerprint, bool again, BootTime now) {
  const auto* held = known(fingerprint, again, now);
  if (!held) return std::nullopt;
  auto message = held->message;
  message.payload.clear();
  return message;
}

Lifeline::AllHeld::iterator Lifeline::hold(std::uint64_t fingerprint, queue::NewMessage message, BootTime now) {
  const auto copy = std::find_if(held_.begin(), held_.end(), [&](const auto& item) {
    return message.packet != 0 && item.second.message.packet == message.packet;
  });
  if (held_.size() >= kMost) return held_.end();
  const auto number = copy == held_.end() ? hooks_.number() : copy->second.message.number;
  if (!number) return held_.end();
  message.number = *number;
  const bool sent = copy != held_.end() && copy->second.sent;
  if (sent) message.payload.clear();
  // The same words, cried again: nothing that is delivered later belongs to this.
  while (held_.contains(fingerprint)) fingerprint = fingerprint * 6364136223846793005u + 1;
  return held_.emplace(fingerprint, Held{.message = std::move(message), .seen = now, .sent = sent}).first;
}

bool Lifeline::has_copy(const Held& one) const {
  return std::any_of(held_.begin(), held_.end(), [&](const auto& item) {
    return &item.second != &one && item.second.message.number == one.message.number;
  });
}

void Lifeline::admit(std::uint64_t fingerprint, bool again, queue::NewMessage& message, BootTime now) {
  message.number = 0;
  if (!concerns(message)) return;
  // The same words twice in a group: the second is another message.
  if (group_.contains(fingerprint)) return;
  Held* held = known(fingerprint, again, now);
  if (!held) {
    if (is_copy_of_stored(message) || has_enough_copies(message)) return;
    const auto made = hold(fingerprint, message, now);
    if (made == held_.end()) return;
    held = &made->second;
  }
  held->seen = now;
  message.number = held->message.number;
  group_.insert(fingerprint);
  if (!held->sent) held->message.payload = message.payload;
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
  if (listen_until_ && !held.heard) echoes_[fingerprint] = now;
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
  const auto held = held_.find(fingerprint);
  // Who listens hears each publication once: what was heard before is another.
  if (held != held_.end() && !held->second.heard && known(fingerprint, false, now)) {
    held->second.heard = true;
    send(held->second);
    return true;
  }
  const auto echo = echoes_.extract(fingerprint);
  return echo && now - echo.mapped() <= kEcho;
}

void Lifeline::overheard(std::uint64_t fingerprint, queue::NewMessage message, BootTime now) {
  if (!concerns(message) || is_copy_of_stored(message) || has_enough_copies(message)) return;
  const auto held = hold(fingerprint, std::move(message), now);
  if (held == held_.end())
    return spdlog::error("an emergency waits for the disk: no more can leave without it");
  held->second.heard = true;
  send(held->second);
}

void Lifeline::send(Held& held) {
  if (held.sent) return;
  if (!held.stored) {
    spdlog::warn("{}: an emergency goes out from memory, and does not wait for the disk", held.message.topic);
    hooks_.send(held.message);
  }
  for (auto& [fingerprint, copy] : held_) {
    if (copy.message.number != held.message.number) continue;
    copy.sent = true;
    copy.message.payload.clear();
  }
}

void Lifeline::send_group(BootTime now) {
  listen(now + kListening);
  for (const auto fingerprint : group_) send(held_.at(fingerprint));
}

void Lifeline::listen(BootTime until) {
  if (!listen_until_) hooks_.listen(true);
  listen_until_ = std::max(until, listen_until_.value_or(until));
}

Lifeline::AllHeld::iterator Lifeline::forget(AllHeld::iterator held) {
  if (!held->second.stored && !has_copy(held->second)) hooks_.give_up(held->second.message.number);
  return held_.erase(held);
}

// The broker has not delivered them again: they came at QoS 0, or it has forgotten them.
void Lifeline::forget_old(BootTime now) {
  for (auto held = held_.begin(); held != held_.end();)
    held =
        group_.contains(held->first) || now - held->second.seen < kRemembered ? std::next(held) : forget(held);
}

void Lifeline::step(BootTime now) {
  if (suspect_at_ && now >= *suspect_at_) {
    suspect_at_.reset();
    listen(now + kSuspicious);
  }
  if (late_at_ && now >= *late_at_) {
    send_group(now);
    // Still late, and the trouble lasts.
    late_at_ = now + kListening / 2;
  }
  if (listen_until_ && now >= *listen_until_) {
    listen_until_.reset();
    echoes_.clear();
    hooks_.listen(false);
  }
  forget_old(now);
}

std::optional<BootTime> Lifeline::next_wake() const {
  std::optional<BootTime> wake = suspect_at_ ? suspect_at_ : late_at_;
  const auto consider = [&](BootTime at) { wake = wake ? std::min(*wake, at) : at; };
  if (listen_until_) consider(*listen_until_);
  for (const auto& [fingerprint, held] : held_)
    if (!group_.contains(fingerprint)) consider(held.seen + kRemembered);
  return wake;
}

}  // namespace tulpar
