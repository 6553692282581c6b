// SPDX-License-Identifier: Apache-2.0
//
// The bytes that one link costs: what the running session's transport counts, attempts that came to nothing,
// and what the peer knows of the session before that we had not on disk when we were killed (DESIGN.md §7).
//
// Pure, on the loop thread. Bytes are handed on in bookings, each to be written once; totals are for life.
#pragma once

#include <optional>

#include "gateway/link/frame.hpp"
#include "gateway/link/transport/transport.hpp"
#include "queue/store.hpp"

namespace tulpar::link {

class LinkBooks {
 public:
  // How often bytes are on disk at the latest (DESIGN.md §7).
  static constexpr Millis kEvery = std::chrono::seconds(10);
  using SessionNote = queue::Store::SessionNote;
  struct Booking {
    queue::LinkBytes bytes;
    SessionNote session;  // its count so far
  };

  // As the store has them: lifetime totals, and the last session of the life before.
  LinkBooks(queue::LinkBytes totals, SessionNote last) : totals_(totals), last_(last) {}

  // A transport is up. `opened`: by us, so that it counts as an opening of the link.
  void begin(std::uint64_t session, bool opened);
  // The two sides agreed on another id for the session.
  void rename(std::uint64_t session) { current_.session = session; }
  void end();
  // Of the session before; for the greeting.
  const SessionNote& last() const { return last_; }
  // What the peer counted of it beyond what we have; at most `most` bytes a direction, lest a peer that lies
  // uses up the plan.
  void recover(const Greeting& peer, std::int64_t most);

  // What the session's transport has counted since its beginning.
  void count(const WireCount& wire);
  void received(std::size_t frame_bytes) { unbooked_.frame_down += static_cast<std::int64_t>(frame_bytes); }
  void add_failed_attempt(const WireCount& wire);

  // What the store has added to the totals by itself: payload and frames, in the transaction of their batch.
  void add_written(const queue::LinkBytes& bytes) { totals_ += bytes; }

  // What is to be written now: all that is new when `force` or the last booking is kEvery ago.
  std::optional<Booking> take(BootTime now, bool force);
  // When the next booking is due, if there is something to book.
  BootTime next() const { return booked_at_ + kEvery; }
  // Lifetime totals, with what is not booked yet; `running`: as the session's transport counts now.
  queue::LinkBytes totals(const std::optional<WireCount>& running) const;

 private:
  queue::LinkBytes totals_, unbooked_;
  WireCount seen_;  // of the transport, counted so far
  SessionNote last_, current_;
  BootTime booked_at_{};
};

}  // namespace tulpar::link
