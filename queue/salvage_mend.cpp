// SPDX-License-Identifier: Apache-2.0
#include "queue/salvage_mend.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "queue/message.hpp"
#include "queue/message_numbers.hpp"
#include "queue/salvage_tables.hpp"

namespace tulpar::queue {
namespace {

// Numbers of batches and messages are below 2^62 (FORMAT.md); one in the upper half is damage.
constexpr std::uint64_t kLargestNumber = std::uint64_t{1} << 61;
// Further ahead than a peer would take a batch (FORMAT.md, "Numbers"), so above all that were ever used.
constexpr std::uint64_t kBatchesToSkip = 8192;

// A store's classes were numbered in the configured order when it was new. Who says otherwise must be
// configured itself: an SOS is not to lose its class to a flipped bit.
void mend_classes(Database& db, const std::vector<std::string>& classes) {
  Statement is_there(db, "SELECT 1 FROM class WHERE name = ?1");
  Statement at(db, "SELECT name FROM class WHERE id = ?1");
  Statement put(db, "INSERT OR REPLACE INTO class(id, name) VALUES(?1, ?2)");
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto id = static_cast<std::int64_t>(i) + 1;
    const bool taken = at(id).step() && std::find(classes.begin(), classes.end(), at.text(0)) != classes.end();
    if (!taken && !is_there(classes[i]).step()) put.run(id, classes[i]);
    at.reset();
    is_there.reset();
  }
}

// Names that cannot be.
void mend_names(Database& db) {
  // Boots are numbered one by one and a thousand are kept; nodes and sinks have their limits, too (store.cpp).
  db.execute("DELETE FROM boot WHERE id > (SELECT min(id) + 2000 FROM boot)");
  db.execute("DELETE FROM node WHERE id < 1 OR id > 65536");
  db.execute("DELETE FROM sink WHERE bit > 62");
  db.execute("DELETE FROM peer WHERE id < 1 OR id > 2147483647");
}

// The age of a message from a lost boot counts from that boot's latest message: it lives longer, never shorter.
void mend_boots(Database& db) {
  db.execute(
      "UPDATE message SET boot = (SELECT coalesce(max(id), 0) + 1 FROM boot) "
      "WHERE boot NOT IN (SELECT id FROM boot)");
  db.execute(
      "INSERT OR IGNORE INTO boot(id, name, last_boot) SELECT DISTINCT boot, 'lost', 0 FROM message "
      "WHERE boot NOT IN (SELECT id FROM boot)");
  db.execute(
      "UPDATE boot SET last_boot = max(last_boot, latest) FROM (SELECT boot AS its, max(accepted_boot) AS "
      "latest "
      "FROM message GROUP BY boot) WHERE its = id");
}

// Where nothing else is known of peers, and all traces lead to one, it is left nameless: whoever asks for the
// first name gets it (Store::peer).
void mend_peer_table(Database& db) {
  if (db.query_int("SELECT count(*) FROM peer") > 0) return;
  db.execute(
      "INSERT INTO peer(id, name, own_incarnation) SELECT min(id), '', 1 FROM (SELECT peer AS id FROM message "
      "UNION SELECT origin FROM message UNION SELECT scope FROM seen) WHERE id > 0 HAVING count(*) = 1");
}

// What sinks are owed that no name is left of: Store::set_sinks passes it on to those that are configured.
void mend_sinks(Database& db, bool missing) {
  std::uint64_t known = 0;
  Statement owed(db, "SELECT count(*) FROM message WHERE peer = 0 AND state < 2 AND owed >> ?1 & 1");
  Statement add(db, "INSERT OR IGNORE INTO sink(bit, name) VALUES(?1, 'lost-' || ?1)");
  for (int bit = 0; bit < 63; ++bit) {
    if (missing && owed(bit).step() && owed.integer(0) > 0) add.run(bit);
    owed.reset();
    if (db.query_int(fmt::format("SELECT count(*) FROM sink WHERE bit = {}", bit)))
      known |= std::uint64_t{1} << bit;
  }
  Statement(db, "UPDATE message SET owed = owed & ?1 WHERE peer = 0 AND state < 2").run(known);
}

void mend_messages(Database& db) {
  // What cannot be a message's is none; the books will miss it.
  db.execute("DELETE FROM message WHERE id < 1 OR state NOT BETWEEN 0 AND 5 OR peer < 0 OR bytes < 0");
  db.execute(
      "UPDATE message SET class = coalesce((SELECT id FROM class WHERE name = 'normal'), (SELECT max(id) FROM "
      "class)) WHERE class NOT IN (SELECT id FROM class)");
  db.execute("UPDATE message SET node = 0 WHERE node NOT IN (SELECT id FROM node)");
  db.execute(fmt::format(
      "UPDATE message SET state = {}, reason = {} WHERE state < 2 AND (CASE peer WHEN 0 THEN owed = 0 ELSE "
      "peer "
      "NOT IN (SELECT id FROM peer) END OR NOT EXISTS (SELECT 1 FROM body WHERE body.id = message.id AND "
      "length(payload) + length(CAST(topic AS BLOB)) = bytes))",
      static_cast<int>(State::kDropped), static_cast<int>(DropReason::kUnreadable)));
  db.execute("UPDATE message SET owed = 0 WHERE state >= 2");
  db.execute("UPDATE message SET state = 0, batch = 0 WHERE state = 1");
  // A finished message's body had an hour at most: it ends now.
  db.execute("DELETE FROM body WHERE id NOT IN (SELECT id FROM message WHERE state < 2)");
}

// The file may be older than what was sent from it: every number begins beyond those that may have been used,
// and under a new incarnation.
void mend_peers(Database& db, bool marks_kept) {
  struct Peer {
    std::int64_t id;
    std::uint64_t number_end, batch_end;
  };
  std::vector<Peer> peers;
  for (Statement rows(db, "SELECT id, number_end, batch_end FROM peer"); rows.step();)
    peers.push_back({rows.integer(0), rows.number(1), rows.number(2)});
  Statement renumber(
      db,
      "UPDATE message SET number = ?2 + place FROM (SELECT id AS its, row_number() OVER (ORDER BY id) "
      "- 1 AS place FROM message WHERE peer = ?1 AND state < 2) WHERE its = id");
  Statement save(db,
                 "UPDATE peer SET own_incarnation = abs(random() % 4611686018427387903) + 1, number_end = ?2, "
                 "batch_floor = ?3, batch_end = ?3 WHERE id = ?1");
  for (const auto& [id, number_end, batch_end] : peers) {
    const std::uint64_t first = block_end(number_end < kLargestNumber ? number_end : 0);
    renumber.run(id, first);
    save.run(id, block_end(first + static_cast<std::uint64_t>(db.changes())),
             (batch_end < kLargestNumber ? batch_end : 1) + kBatchesToSkip);
  }
  if (marks_kept) return;
  db.execute("UPDATE peer SET incarnation = 0, life = 0, low = 1, cumulative = 0");
  db.execute("DELETE FROM received");
  db.execute("DELETE FROM closed");
}

// No cell of the usage can be larger than its link's lifetime total (where that is known): what is would use up
// the plan.
void mend_usage(Database& db) {
  for (const char* table : {"usage", "undated"})
    db.execute(fmt::format(
        "DELETE FROM {0} WHERE wire_up < 0 OR wire_down < 0 OR payload < 0 OR frame < 0 OR EXISTS (SELECT 1 "
        "FROM "
        "link WHERE id = {0}.link AND link.wire_up > 0 AND ({0}.wire_up > link.wire_up OR {0}.wire_down > "
        "link.wire_down))",
        table));
}

}  // namespace

Mended mend(Database& fresh, const std::set<std::string>& missing, const std::vector<std::string>& classes) {
  Mended mended;
  mended.marks_kept = !missing.contains("peer") && !missing.contains("received") && !missing.contains("closed");
  mend_classes(fresh, classes);
  mend_names(fresh);
  mend_peer_table(fresh);
  mend_sinks(fresh, missing.contains("sink"));
  mend_messages(fresh);
  mend_boots(fresh);
  mend_peers(fresh, mended.marks_kept);
  mend_usage(fresh);
  Statement emergency(fresh, "SELECT id FROM class WHERE name = ?1");
  mended.lost = mend_books(fresh, emergency(classes.front()).step() ? emergency.integer(0) : 0);
  mended.waiting = fresh.query_int("SELECT count(*) FROM message WHERE state < 2");
  return mended;
}

}  // namespace tulpar::queue
