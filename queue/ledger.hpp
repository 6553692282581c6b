// SPDX-License-Identifier: Apache-2.0
//
// The store's counters: the books per class, lifetime totals per link, usage per time, class and node.
//
// On the store's thread only. Changes gather in memory during a write group and are flushed into the same
// transaction as the events they count; a rolled-back group forgets them. Sizes in bytes. Invariant: accepted =
// delivered + expired + conflated + dropped + queued, per class, after every commit.
#pragma once

#include <map>
#include <tuple>

#include "queue/message.hpp"
#include "queue/sqlite.hpp"

namespace tulpar::queue {

// The books of one class in one direction.
struct Book {
  std::int64_t accepted = 0, delivered = 0, expired = 0, conflated = 0, dropped = 0, queued = 0;
  std::int64_t duplicates = 0;  // recognised as copies; outside the balance
  Book& operator+=(const Book& other);
  bool balances() const { return accepted == delivered + expired + conflated + dropped + queued; }
};

// What one link carried; all bytes. wire: IP level; frame: what we handed to the transport; payload: topics and
// payloads.
struct LinkBytes {
  std::int64_t payload_up = 0, payload_down = 0, frame_up = 0, frame_down = 0, wire_up = 0, wire_down = 0;
  std::int64_t session_opens = 0;
  LinkBytes& operator+=(const LinkBytes& other);
};

// One cell of the usage tables. Wire bytes that no message caused (greetings, keepalive) stand under class -1,
// node 0.
struct UsageKey {
  std::int64_t link = 0;
  std::int64_t cls = -1;  // row of table `class`
  NodeId node = 0;
  auto operator<=>(const UsageKey&) const = default;
};
struct Usage {
  std::int64_t messages = 0, payload = 0, frame = 0, wire_up = 0, wire_down = 0;
  Usage& operator+=(const Usage& other);
};

class Ledger {
 public:
  explicit Ledger(Database& db);

  void count(bool edge, std::int64_t cls, const Book& change) { books_[{edge, cls}] += change; }
  void count_drop(bool edge, std::int64_t cls, DropReason reason) { ++drops_[{edge, cls, reason}]; }
  void add(std::int64_t link, const LinkBytes& bytes) { links_[link] += bytes; }
  void add(const UsageKey& key, const Usage& usage) { usage_[key] += usage; }

  // Writes what has gathered; `now` decides the time slots, `wall` empty: kept per boot until the clock is
  // believable.
  void flush(std::int64_t boot_row, BootTime now, std::optional<WallTime> wall);
  // Moves what was booked without a believable clock in this boot to its time. Returns rows moved.
  std::int64_t date(std::int64_t boot_row, BootTime now, WallTime wall);
  // Moves what stands `from` or later, a day's begin in UTC, to `now`: a clock that was wrong booked it.
  // Returns wire bytes moved.
  std::int64_t bring_back(WallTime from, WallTime now);
  void forget();  // after a rollback

 private:
  void take_from_months(std::int64_t from_day);
  void flush_usage(std::int64_t boot_row, BootTime now, std::optional<WallTime> wall);
  void add_dated(WallTime at, const UsageKey& key, const Usage& usage);

  Database* db_;
  std::map<std::pair<bool, std::int64_t>, Book> books_;
  std::map<std::tuple<bool, std::int64_t, DropReason>, std::int64_t> drops_;
  std::map<std::int64_t, LinkBytes> links_;
  std::map<UsageKey, Usage> usage_;
  Statement add_book_, add_drop_, add_link_, add_usage_, add_undated_, read_undated_, clear_undated_;
};

// The start of the slot that holds `at`: resolution 300, 3600 or 86400 seconds, or 0 for the calendar month;
// UTC.
std::int64_t slot_start(WallTime at, int resolution);

}  // namespace tulpar::queue
