// SPDX-License-Identifier: Apache-2.0
#include "queue/store_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tulpar::queue {
namespace {

constexpr const char* kStoryColumns =
    "SELECT m.id, m.peer, m.number, c.name, coalesce(n.name, ''), m.topic, coalesce(p.name, ''), m.kind, "
    "m.state, "
    "m.reason, m.bytes, m.flagged, m.accepted_wall, m.sent_wall, m.finished_wall, m.frame_bytes, "
    "m.wire_bytes "
    "FROM message m JOIN class c ON c.id = m.class LEFT JOIN node n ON n.id = m.node "
    "LEFT JOIN peer p ON p.id = CASE WHEN m.peer = 0 THEN m.origin ELSE m.peer END ";

std::optional<std::int64_t> maybe(const Statement& row, int column) {
  return row.is_null(column) ? std::nullopt : std::optional(row.integer(column));
}

}  // namespace

struct StoreReader::Statements {
  explicit Statements(Database& db)
      : body(db, "SELECT m.topic, b.payload FROM message m JOIN body b ON b.id = m.id WHERE m.id = ?1"),
        edge_body(
            db,
            "SELECT m.topic, b.payload, m.origin_incarnation, m.origin_number, coalesce(p.name, '') "
            "FROM message m JOIN body b ON b.id = m.id LEFT JOIN peer p ON p.id = m.origin WHERE m.id = ?1"),
        story(db, fmt::format("{} WHERE m.id = ?1", kStoryColumns)) {}
  Statement body, edge_body, story;
};

StoreReader::StoreReader(const std::string& path) : db_(path, Database::Mode::kReadOnly) {
  db_.execute("PRAGMA cache_size = -1024");
  sql_ = std::make_unique<Statements>(db_);
}
StoreReader::~StoreReader() = default;

std::vector<Body> StoreReader::bodies(const std::vector<MessageId>& ids) {
  std::vector<Body> found;
  auto& row = sql_->body;
  for (const auto id : ids) {
    if (!row(id).step()) continue;
    const ByteView payload = row.blob(1);
    found.push_back({id, row.text(0), Bytes(payload.begin(), payload.end())});
    row.reset();
  }
  return found;
}

std::vector<EdgeBody> StoreReader::edge_bodies(const std::vector<MessageId>& ids) {
  std::vector<EdgeBody> found;
  auto& row = sql_->edge_body;
  for (const auto id : ids) {
    if (!row(id).step()) continue;
    const ByteView payload = row.blob(1);
    found.push_back({{id, row.text(0), Bytes(payload.begin(), payload.end())},
                     {row.number(2), row.number(3)},
                     row.text(4)});
    row.reset();
  }
  return found;
}

Story StoreReader::story_from(Statement& row) {
  return Story{.id = row.integer(0),
               .edge = row.integer(1) == kEdge,
               .number = row.number(2),
               .cls = row.text(3),
               .node = row.text(4),
               .topic = row.text(5),
               .peer = row.text(6),
               .kind = static_cast<std::uint32_t>(row.integer(7)),
               .state = static_cast<State>(row.integer(8)),
               .reason = static_cast<DropReason>(row.integer(9)),
               .bytes = static_cast<std::uint32_t>(row.integer(10)),
               .flagged = row.integer(11) != 0,
               .accepted_wall = maybe(row, 12),
               .sent_wall = maybe(row, 13),
               .finished_wall = maybe(row, 14),
               .frame_bytes = row.integer(15),
               .wire_bytes = row.integer(16)};
}

std::vector<Story> StoreReader::list(const StoryFilter& filter) {
  std::string sql = kStoryColumns;
  sql += "WHERE (?1 = 0 OR m.id < ?1) AND (?2 = '' OR c.name = ?2) AND (?3 = '' OR n.name = ?3)";
  if (filter.state == State::kQueued)
    sql += " AND m.state < 2";
  else if (filter.state)
    sql += fmt::format(" AND m.state = {}", static_cast<int>(*filter.state));
  sql += " ORDER BY m.id DESC LIMIT ?4";
  Statement rows(db_, sql);
  std::vector<Story> found;
  for (rows(filter.after, filter.cls, filter.node, std::clamp(filter.limit, 1, 1000)); rows.step();)
    found.push_back(story_from(rows));
  return found;
}

std::optional<Story> StoreReader::story(MessageId id) {
  auto& row = sql_->story;
  if (!row(id).step()) return std::nullopt;
  Story found = story_from(row);
  row.reset();
  return found;
}

std::vector<BookRow> StoreReader::books() {
  std::vector<BookRow> found;
  Statement rows(db_,
                 "SELECT b.edge, c.name, b.accepted, b.delivered, b.expired, b.conflated, b.dropped, b.queued, "
                 "b.duplicates FROM book b JOIN class c ON c.id = b.class ORDER BY b.edge, c.id");
  while (rows.step())
    found.push_back({rows.integer(0) != 0, rows.text(1),
                     Book{rows.integer(2), rows.integer(3), rows.integer(4), rows.integer(5), rows.integer(6),
                          rows.integer(7), rows.integer(8)}});
  return found;
}

std::vector<std::pair<std::string, LinkBytes>> StoreReader::links() {
  std::vector<std::pair<std::string, LinkBytes>> found;
  Statement rows(
      db_,
      "SELECT name, payload_up, payload_down, frame_up, frame_down, wire_up, wire_down, session_opens "
      "FROM link ORDER BY id");
  while (rows.step())
    found.emplace_back(rows.text(0),
                       LinkBytes{rows.integer(1), rows.integer(2), rows.integer(3), rows.integer(4),
                                 rows.integer(5), rows.integer(6), rows.integer(7)});
  return found;
}

std::map<std::string, std::int64_t> StoreReader::used_since(const std::string& link, std::int64_t from) {
  // Whole days by their rows, the rest of the first day by its hours, and of its first hour by five minutes,
  // which are kept for a month only: a cycle does not begin with the day in UTC, and may last longer.
  constexpr std::int64_t kHour = 3600, kDay = 86'400;
  const std::int64_t next_hour = (from + kHour - 1) / kHour * kHour, next_day = (from + kDay - 1) / kDay * kDay;
  Statement rows(
      db_,
      "SELECT coalesce((SELECT name FROM class WHERE id = u.class), ''), sum(wire_up + wire_down) "
      "FROM usage u WHERE link = (SELECT id FROM link WHERE name = ?1) AND "
      "((resolution = 86400 AND start >= ?4) OR (resolution = 3600 AND start >= ?3 AND start < ?4) OR "
      "(resolution = 300 AND start >= ?2 AND start < ?3)) "
      "GROUP BY class");
  std::map<std::string, std::int64_t> used;
  for (rows(link, from, next_hour, next_day); rows.step();) used[rows.text(0)] += rows.integer(1);
  return used;
}

std::int64_t StoreReader::used_undated(const std::string& link) {
  Statement sum(db_,
                "SELECT coalesce(sum(wire_up + wire_down), 0) FROM undated "
                "WHERE link = (SELECT id FROM link WHERE name = ?1)");
  sum(link).step();
  return sum.integer(0);
}

std::int64_t StoreReader::counted_since(const std::string& link) {
  Statement first(db_,
                  "SELECT coalesce(min(start), 0) FROM usage WHERE resolution = 0 AND "
                  "link = (SELECT id FROM link WHERE name = ?1)");
  first(link).step();
  const std::int64_t month = first.integer(0);
  Statement day(db_,
                "SELECT coalesce(min(start), ?2) FROM usage WHERE resolution = 86400 AND start >= ?2 AND "
                "link = (SELECT id FROM link WHERE name = ?1)");
  day(link, month).step();
  return day.integer(0);
}

std::vector<UsageRow> StoreReader::usage(int resolution, std::int64_t from, std::int64_t to,
                                         const std::string& by) {
  const char* label = by == "node"   ? "coalesce((SELECT name FROM node WHERE id = u.node), '')"
                      : by == "link" ? "(SELECT name FROM link WHERE id = u.link)"
                                     : "coalesce((SELECT name FROM class WHERE id = u.class), 'link')";
  Statement rows(
      db_, fmt::format("SELECT start, {} AS label, sum(messages), sum(payload), sum(frame), sum(wire_up), "
                       "sum(wire_down) FROM usage u WHERE resolution = ?1 AND start >= ?2 AND start < ?3 "
                       "GROUP BY start, label ORDER BY start, label LIMIT 100000",
                       label));
  std::vector<UsageRow> found;
  for (rows(resolution, from, to); rows.step();)
    found.push_back(
        {rows.integer(0), rows.text(1),
         Usage{rows.integer(2), rows.integer(3), rows.integer(4), rows.integer(5), rows.integer(6)}});
  return found;
}

std::int64_t StoreReader::size() {
  return (db_.query_int("PRAGMA page_count") - db_.query_int("PRAGMA freelist_count")) *
         db_.query_int("PRAGMA page_size");
}

}  // namespace tulpar::queue
