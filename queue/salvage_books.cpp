// SPDX-License-Identifier: Apache-2.0
#include "queue/salvage_books.hpp"

#include <algorithm>
#include <map>

#include "queue/ledger.hpp"
#include "queue/salvage_tables.hpp"

namespace tulpar::queue {
namespace {

using Key = std::pair<bool, std::int64_t>;  // for the sinks here, class row
using Drops = std::map<int, std::int64_t>;  // by DropReason

bool is_count(std::int64_t value) { return value >= 0 && value <= kLargestRowId; }

std::map<Key, Book> read_books(Database& db) {
  std::map<Key, Book> books;
  Statement rows(
      db,
      "SELECT edge, class, accepted, delivered, expired, conflated, dropped, queued, duplicates FROM book "
      "WHERE edge BETWEEN 0 AND 1 AND class IN (SELECT id FROM class)");
  while (rows.step()) {
    const Book book{rows.integer(2), rows.integer(3), rows.integer(4), rows.integer(5),
                    rows.integer(6), rows.integer(7), rows.integer(8)};
    bool sound = true;
    for (int column = 2; column <= 8; ++column) sound = sound && is_count(rows.integer(column));
    if (sound) books[{rows.integer(0) != 0, rows.integer(1)}] = book;
  }
  return books;
}

std::map<Key, Drops> read_drops(Database& db) {
  std::map<Key, Drops> drops;
  Statement rows(db, "SELECT edge, class, reason, count FROM drops WHERE edge BETWEEN 0 AND 1 AND reason > 0");
  while (rows.step())
    if (rows.integer(2) <= static_cast<int>(kLastDropReason) && is_count(rows.integer(3)))
      drops[{rows.integer(0) != 0, rows.integer(1)}][static_cast<int>(rows.integer(2))] = rows.integer(3);
  return drops;
}

// What the messages that are there would have the books say.
std::map<Key, Book> count_messages(Database& db) {
  std::map<Key, Book> books;
  Statement rows(db, "SELECT peer = 0, class, state, count(*) FROM message GROUP BY 1, 2, 3");
  while (rows.step()) {
    Book& book = books[{rows.integer(0) != 0, rows.integer(1)}];
    std::int64_t* const by_state[] = {&book.queued,  &book.queued,    &book.delivered,
                                      &book.expired, &book.conflated, &book.dropped};
    *by_state[rows.integer(2)] += rows.integer(3);
    book.accepted += rows.integer(3);
  }
  return books;
}

// More messages than rows were ever numbered cannot be missing: then the book itself is damaged.
Book mended(const Book* said, const Book& found, Drops& drops, std::int64_t most) {
  Book book = found;
  if (said) {
    const std::int64_t missing =
        said->accepted - said->delivered - said->expired - said->conflated - said->dropped - found.queued;
    if (missing <= most) {
      book = *said;
      book.queued = found.queued;
      if (missing > 0)
        book.dropped += missing;
      else
        book.accepted -= missing;
    }
  }
  std::int64_t told = 0;
  for (const auto& [reason, count] : drops) told += count;
  if (told > book.dropped) {
    book.accepted += told - book.dropped;
    book.dropped = told;
  } else {
    drops[static_cast<int>(DropReason::kUnreadable)] += book.dropped - told;
  }
  return book;
}

}  // namespace

LostMessages mend_books(Database& fresh, std::int64_t emergency) {
  const auto old = read_books(fresh);
  auto drops = read_drops(fresh);
  auto found = count_messages(fresh);
  for (const auto& [key, book] : old) found[key];
  const std::int64_t most = fresh.query_int("SELECT seq FROM sqlite_sequence WHERE name = 'message'");
  fresh.execute("DELETE FROM book");
  fresh.execute("DELETE FROM drops");
  Statement add(fresh, "INSERT INTO book VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  Statement add_drop(fresh, "INSERT INTO drops(edge, class, reason, count) VALUES(?1, ?2, ?3, ?4)");
  LostMessages lost;
  for (const auto& [key, there] : found) {
    Drops& why = drops[key];
    auto& unreadable = why[static_cast<int>(DropReason::kUnreadable)];
    const std::int64_t before = unreadable;
    const auto said = old.find(key);
    const Book book = mended(said == old.end() ? nullptr : &said->second, there, why, most);
    add.run(key.first ? 1 : 0, key.second, book.accepted, book.delivered, book.expired, book.conflated,
            book.dropped, book.queued, book.duplicates);
    for (const auto& [reason, count] : why)
      if (count > 0) add_drop.run(key.first ? 1 : 0, key.second, reason, count);
    lost.all += unreadable - before;
    if (key.second == emergency) lost.emergencies += unreadable - before;
  }
  return lost;
}

}  // namespace tulpar::queue
