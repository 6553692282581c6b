// SPDX-License-Identifier: Apache-2.0
#include "queue/ledger.hpp"

#include <array>

namespace tulpar::queue {
namespace {

constexpr std::array kResolutions = {300, 3600, 86400, 0};
constexpr std::int64_t kSlot = 300;  // seconds; of usage without a date

}  // namespace

Book& Book::operator+=(const Book& other) {
  accepted += other.accepted;
  delivered += other.delivered;
  expired += other.expired;
  conflated += other.conflated;
  dropped += other.dropped;
  queued += other.queued;
  duplicates += other.duplicates;
  return *this;
}

LinkBytes& LinkBytes::operator+=(const LinkBytes& other) {
  payload_up += other.payload_up;
  payload_down += other.payload_down;
  frame_up += other.frame_up;
  frame_down += other.frame_down;
  wire_up += other.wire_up;
  wire_down += other.wire_down;
  session_opens += other.session_opens;
  return *this;
}

Usage& Usage::operator+=(const Usage& other) {
  messages += other.messages;
  payload += other.payload;
  frame += other.frame;
  wire_up += other.wire_up;
  wire_down += other.wire_down;
  return *this;
}

std::int64_t slot_start(WallTime at, int resolution) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  if (resolution > 0) return seconds - ((seconds % resolution) + resolution) % resolution;
  const std::chrono::year_month_day day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::sys_seconds month = std::chrono::sys_days(day.year() / day.month() / 1);
  return month.time_since_epoch().count();
}

Ledger::Ledger(Database& db)
    : db_(&db),
      add_book_(
          db,
          "INSERT INTO book(edge, class, accepted, delivered, expired, conflated, dropped, queued, duplicates) "
          "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET accepted = accepted + ?3, "
          "delivered = delivered + ?4, expired = expired + ?5, conflated = conflated + ?6, "
          "dropped = dropped + ?7, queued = queued + ?8, duplicates = duplicates + ?9"),
      add_drop_(db,
                "INSERT INTO drops(edge, class, reason, count) VALUES(?1, ?2, ?3, ?4) "
                "ON CONFLICT DO UPDATE SET count = count + ?4"),
      add_link_(db,
                "UPDATE link SET payload_up = payload_up + ?2, payload_down = payload_down + ?3, "
                "frame_up = frame_up + ?4, frame_down = frame_down + ?5, wire_up = wire_up + ?6, "
                "wire_down = wire_down + ?7, session_opens = session_opens + ?8 WHERE id = ?1"),
      add_usage_(
          db,
          "INSERT INTO usage(resolution, start, link, class, node, messages, payload, frame, wire_up, "
          "wire_down) "
          "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO UPDATE SET messages = messages + ?6, "
          "payload = payload + ?7, frame = frame + ?8, wire_up = wire_up + ?9, wire_down = wire_down + ?10"),
      add_undated_(
          db,
          "INSERT INTO undated(boot, start, link, class, node, messages, payload, frame, wire_up, wire_down) "
          "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO UPDATE SET messages = messages + ?6, "
          "payload = payload + ?7, frame = frame + ?8, wire_up = wire_up + ?9, wire_down = wire_down + ?10"),
      read_undated_(db,
                    "SELECT start, link, class, node, messages, payload, frame, wire_up, wire_down "
                    "FROM undated WHERE boot = ?1"),
      clear_undated_(db, "DELETE FROM undated WHERE boot = ?1") {}

void Ledger::flush(std::int64_t boot_row, BootTime now, std::optional<WallTime> wall) {
  for (const auto& [key, book] : books_)
    add_book_.run(key.first ? 1 : 0, key.second, book.accepted, book.delivered, book.expired, book.conflated,
                  book.dropped, book.queued, book.duplicates);
  for (const auto& [key, count] : drops_)
    add_drop_.run(std::get<0>(key) ? 1 : 0, std::get<1>(key), static_cast<int>(std::get<2>(key)), count);
  for (const auto& [link, bytes] : links_)
    add_link_.run(link, bytes.payload_up, bytes.payload_down, bytes.frame_up, bytes.frame_down, bytes.wire_up,
                  bytes.wire_down, bytes.session_opens);
  flush_usage(boot_row, now, wall);
  forget();
}

void Ledger::flush_usage(std::int64_t boot_row, BootTime now, std::optional<WallTime> wall) {
  const auto boot_s = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  for (const auto& [key, usage] : usage_) {
    if (wall)
      add_dated(*wall, key, usage);
    else
      add_undated_.run(boot_row, boot_s - boot_s % kSlot, key.link, key.cls, key.node, usage.messages,
                       usage.payload, usage.frame, usage.wire_up, usage.wire_down);
  }
}

void Ledger::add_dated(WallTime at, const UsageKey& key, const Usage& usage) {
  for (int resolution : kResolutions)
    add_usage_.run(resolution, slot_start(at, resolution), key.link, key.cls, key.node, usage.messages,
                   usage.payload, usage.frame, usage.wire_up, usage.wire_down);
}

std::int64_t Ledger::date(std::int64_t boot_row, BootTime now, WallTime wall) {
  std::int64_t rows = 0;
  for (read_undated_(boot_row); read_undated_.step(); ++rows) {
    const BootTime then{std::chrono::seconds(read_undated_.integer(0))};
    const UsageKey key{read_undated_.integer(1), read_undated_.integer(2),
                       static_cast<NodeId>(read_undated_.integer(3))};
    const Usage usage{read_undated_.integer(4), read_undated_.integer(5), read_undated_.integer(6),
                      read_undated_.integer(7), read_undated_.integer(8)};
    add_dated(wall - (now - then), key, usage);
  }
  if (rows) clear_undated_.run(boot_row);
  return rows;
}

std::int64_t Ledger::bring_back(WallTime from, WallTime now) {
  const std::int64_t begin = slot_start(from, 86400);
  Statement ahead(*db_,
                  "SELECT coalesce(sum(wire_up + wire_down), 0), count(*) FROM usage WHERE resolution = 86400 "
                  "AND start >= ?1");
  ahead(begin).step();
  const std::int64_t bytes = ahead.integer(0), rows = ahead.integer(1);
  ahead.reset();
  if (rows == 0) return 0;
  take_from_months(begin);
  // Months get what the days have, as a month may be wrong in part.
  Statement move(
      *db_,
      "INSERT INTO usage(resolution, start, link, class, node, messages, payload, frame, wire_up, "
      "wire_down) SELECT ?1, ?2, link, class, node, sum(messages), sum(payload), sum(frame), "
      "sum(wire_up), sum(wire_down) FROM usage WHERE resolution = ?3 AND start >= ?4 "
      "GROUP BY link, class, node ON CONFLICT DO UPDATE SET messages = messages + excluded.messages, "
      "payload = payload + excluded.payload, frame = frame + excluded.frame, "
      "wire_up = wire_up + excluded.wire_up, wire_down = wire_down + excluded.wire_down");
  for (const int resolution : kResolutions)
    move.run(resolution, slot_start(now, resolution), resolution ? resolution : 86400, begin);
  Statement(*db_, "DELETE FROM usage WHERE resolution > 0 AND start >= ?1").run(begin);
  return bytes;
}

void Ledger::take_from_months(std::int64_t from_day) {
  // No less than nothing: of a store that was salvaged months may be missing, and not their days.
  Statement(
      *db_,
      "UPDATE usage SET messages = max(usage.messages - d.messages, 0), "
      "payload = max(usage.payload - d.payload, 0), frame = max(usage.frame - d.frame, 0), "
      "wire_up = max(usage.wire_up - d.wire_up, 0), wire_down = max(usage.wire_down - d.wire_down, 0) "
      "FROM (SELECT CAST(strftime('%s', start, 'unixepoch', 'start of month') AS INTEGER) AS month, link, "
      "class, node, sum(messages) AS messages, sum(payload) AS payload, sum(frame) AS frame, "
      "sum(wire_up) AS wire_up, sum(wire_down) AS wire_down FROM usage "
      "WHERE resolution = 86400 AND start >= ?1 GROUP BY month, link, class, node) AS d "
      "WHERE usage.resolution = 0 AND usage.start = d.month AND usage.link = d.link "
      "AND usage.class = d.class AND usage.node = d.node")
      .run(from_day);
  Statement(*db_,
            "DELETE FROM usage WHERE resolution = 0 AND start >= ?1 AND messages = 0 AND payload = 0 AND "
            "frame = 0 AND wire_up = 0 AND wire_down = 0")
      .run(slot_start(WallTime{std::chrono::seconds(from_day)}, 0));
}

void Ledger::forget() {
  books_.clear();
  drops_.clear();
  links_.clear();
  usage_.clear();
}

}  // namespace tulpar::queue
