// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/session.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tulpar::link {
namespace {

// A peer that is alive answers within a few round trips; below 8 s a slow disk or a handover looks like death.
constexpr Millis kLeastPatience{8000};
constexpr int kPatienceRoundTrips = 4;

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
// Clang 14 does not deduce aggregates by itself.
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace

Session::Session(Outgoing& outgoing, Incoming& incoming, bool initiator)
    : outgoing_(&outgoing), incoming_(&incoming), initiator_(initiator) {}

void Session::connected(BootTime now, std::uint64_t session_id, const SessionCount& last) {
  up_ = true;
  id_ = initiator_ ? session_id : 0;
  peer_.reset();
  bye_.reset();
  peer_bye_.reset();
  last_heard_.reset();
  connected_at_ = now;
  hold_due_ = false;
  // Made now, before anything of the peer's is heard: see FORMAT.md, "Greeting".
  Greeting greeting{.session = id_,
                    .last_session = last.session,
                    .last_received = last.received,
                    .last_sent = last.sent,
                    .closed = {},
                    .partial = {},
                    .hold = {holds_}};
  outgoing_->on_connected();
  outgoing_->describe(greeting);
  incoming_->describe(greeting);
  greeted_as_ = greeting.incarnation;
  greeting_ = std::move(greeting);
}

void Session::disconnected() {
  up_ = false;
  peer_.reset();
  greeting_.reset();
  outgoing_->on_disconnected();
  incoming_->on_disconnected();
}

Result<void> Session::end_with(ByeReason reason, std::string why) {
  if (!bye_) bye_ = reason;
  return Error{std::move(why)};
}

Result<void> Session::on_frame(ByteView frame, BootTime now) {
  if (bye_ || !up_) return {};
  auto items = decode_frame(frame);
  if (!items) return end_with(ByeReason::kMalformed, items.error().message);
  last_heard_ = now;
  for (const auto& item : *items) {
    if (auto done = on_item(item, now); !done) return done;
    if (peer_bye_) break;
  }
  return {};
}

Result<void> Session::on_item(const Item& item, BootTime now) {
  if (const auto* bye = std::get_if<Bye>(&item)) {
    peer_bye_ = bye->reason;
    must_renew_ = must_renew_ || bye->reason == ByeReason::kRolledBack;
    return {};
  }
  if (const auto* greeting = std::get_if<Greeting>(&item)) return on_greeting(*greeting, now);
  if (!peer_) return end_with(ByeReason::kMalformed, "the first item is not a greeting");
  auto done = std::visit(
      Overloaded{[&](const Fragment& fragment) { return incoming_->on_fragment(fragment, now); },
                 [&](const Void& closed) { return incoming_->on_void(closed, now); },
                 [&](const Ack& ack) { return outgoing_->on_ack(ack, now); },
                 [&](const Lost& lost) { return outgoing_->on_lost(lost.batch), Result<void>(); },
                 [&](const Refused& refused) { return outgoing_->on_refused(refused.batch), Result<void>(); },
                 [&](const Hold& hold) { return peer_holds_ = hold.classes, Result<void>(); },
                 [](const auto&) { return Result<void>(); }},
      item);
  return done ? done : end_with(ByeReason::kMalformed, done.error().message);
}

Result<void> Session::on_greeting(const Greeting& greeting, BootTime now) {
  if (peer_) return end_with(ByeReason::kMalformed, "a second greeting");
  const std::uint8_t version = std::min(kVersion, greeting.version);
  if (version < kLeastVersion || version < greeting.least)
    return end_with(ByeReason::kNoCommonVersion,
                    fmt::format("the peer speaks versions {} to {} of the link format, this program {} to {}",
                                greeting.least, greeting.version, kLeastVersion, kVersion));
  if (!initiator_) id_ = greeting.session;
  peer_holds_ = greeting.hold.classes;
  peer_ = greeting;
  if (auto done = incoming_->on_greeting(greeting); !done)
    return end_with(ByeReason::kRolledBack, done.error().message);
  const bool fresh = greeting.known != greeted_as_;
  if (auto done = outgoing_->on_greeting(greeting, fresh, now); !done) {
    must_renew_ = true;
    return end_with(ByeReason::kShuttingDown, done.error().message);
  }
  return {};
}

bool Session::wants_to_send(BootTime now) const {
  if (!up_) return false;
  if (bye_) return true;
  if (greeting_) return true;
  if (peer_ && hold_due_) return true;
  return (peer_ && incoming_->ack_due() && *incoming_->ack_due() <= now) || outgoing_->has_bytes(now);
}

Bytes Session::next_frame(BootTime now, std::size_t limit) {
  if (!wants_to_send(now)) return {};
  // The greeting is exempt from the transport's wish for small frames.
  FrameBuilder frame(greeting_ ? kMaxFrame : std::max(limit, kLeastFrame));
  if (bye_) {
    frame.put(Bye{*bye_});
    up_ = false;
    return frame.take();
  }
  if (greeting_) {
    frame.put(*greeting_);
    greeting_.reset();
    return frame.take();
  }
  if (peer_ && hold_due_) hold_due_ = !frame.put(Hold{holds_});
  if (peer_) incoming_->fill(frame);
  outgoing_->fill(frame, now);
  return frame.take();
}

void Session::hold(std::vector<std::string> classes) {
  // More would not fit a frame; a configuration with so many classes holds back the rest by its own plan alone.
  if (classes.size() > Hold::kMostClasses) classes.resize(Hold::kMostClasses);
  if (classes == holds_) return;
  holds_ = std::move(classes);
  hold_due_ = true;
}

void Session::say_bye(ByeReason reason) {
  if (!bye_) bye_ = reason;
}

void Session::set_round_trip(Millis rtt) {
  rtt_ = rtt;
  incoming_->set_round_trip(rtt);
}

std::optional<BootTime> Session::deadline() const {
  if (!up_) return std::nullopt;
  const Millis patience = std::max(kLeastPatience, rtt_ * kPatienceRoundTrips);
  if (!peer_) return connected_at_ + patience;
  const auto waiting = outgoing_->waiting_since();
  if (!waiting) return std::nullopt;
  return std::max(*waiting, last_heard_.value_or(connected_at_)) + patience;
}

bool Session::overdue(BootTime now) const {
  const auto at = deadline();
  return at && *at <= now;
}

std::optional<BootTime> Session::next_wake() const {
  if (!up_) return std::nullopt;
  auto wake = deadline();
  if (const auto ack = incoming_->ack_due(); peer_ && ack && (!wake || *ack < *wake)) wake = ack;
  return wake;
}

}  // namespace tulpar::link
