// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/link_books.hpp"

#include <algorithm>
#include <utility>

namespace tulpar::link {

void LinkBooks::begin(std::uint64_t session, bool opened) {
  seen_ = {};
  current_ = {.session = session, .up = 0, .down = 0};
  if (opened) ++unbooked_.session_opens;
}

void LinkBooks::end() { last_ = current_; }

void LinkBooks::recover(const Greeting& peer, std::int64_t most) {
  if (peer.last_session == 0 || peer.last_session != last_.session) return;
  const auto missing = [&](std::uint64_t theirs, std::int64_t ours) {
    return std::clamp<std::int64_t>(static_cast<std::int64_t>(theirs) - ours, 0, most);
  };
  unbooked_.wire_up += missing(peer.last_received, last_.up);
  unbooked_.wire_down += missing(peer.last_sent, last_.down);
}

void LinkBooks::count(const WireCount& wire) {
  unbooked_.wire_up += static_cast<std::int64_t>(wire.up - seen_.up);
  unbooked_.wire_down += static_cast<std::int64_t>(wire.down - seen_.down);
  seen_ = wire;
  current_.up = static_cast<std::int64_t>(wire.up);
  current_.down = static_cast<std::int64_t>(wire.down);
}

void LinkBooks::add_failed_attempt(const WireCount& wire) {
  unbooked_.wire_up += static_cast<std::int64_t>(wire.up);
  unbooked_.wire_down += static_cast<std::int64_t>(wire.down);
}

std::optional<LinkBooks::Booking> LinkBooks::take(BootTime now, bool force) {
  const bool nothing = unbooked_.wire_up == 0 && unbooked_.wire_down == 0 && unbooked_.session_opens == 0;
  if (nothing || (!force && now < next())) return std::nullopt;
  booked_at_ = now;
  const auto bytes = std::exchange(unbooked_, {});
  totals_ += bytes;
  return Booking{bytes, current_};
}

queue::LinkBytes LinkBooks::totals(const std::optional<WireCount>& running) const {
  auto totals = totals_;
  totals += unbooked_;
  if (running) {
    totals.wire_up += static_cast<std::int64_t>(running->up - seen_.up);
    totals.wire_down += static_cast<std::int64_t>(running->down - seen_.down);
  }
  return totals;
}

}  // namespace tulpar::link
