// SPDX-License-Identifier: Apache-2.0
//
// The store's prepared statements, all made once on open, and the row that most of them read. Private to
// store*.cpp.
#pragma once

#include "queue/store.hpp"

namespace tulpar::queue {

// An unfinished or finished message's facts that the books and the link need.
struct Store::Row {
  MessageId id = 0;
  PeerId peer = kEdge;
  std::int64_t cls = 0;  // row of table `class`
  NodeId node = 0;
  State state = State::kQueued;
  std::uint32_t bytes = 0;
  std::uint64_t owed = 0;
  std::int64_t given = 0;
};

struct Store::SettledPart {
  std::int64_t link = 0;
  MessageId id = 0;
  std::int64_t cls = 0;
  NodeId node = 0;
  std::int64_t frame_bytes = 0;
};

#define TULPAR_ENTRY_COLUMNS "id, number, class, node, kind, bytes, boot, accepted_boot, flagged"

struct Store::Statements {
  explicit Statements(Database& db)
      : add_message(db,
                    "INSERT INTO message(peer, number, class, node, kind, state, bytes, topic, packet, "
                    "flagged, origin, "
                    "origin_number, origin_incarnation, owed, boot, accepted_boot, accepted_wall) "
                    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)"),
        add_body(db, "INSERT INTO body(id, payload) VALUES(?1, ?2)"),
        delete_body(db, "DELETE FROM body WHERE id = ?1"),
        add_seen(db, "INSERT OR IGNORE INTO seen(packet, scope, day) VALUES(?1, ?2, ?3)"),
        find(db,
             "SELECT id, peer, class, node, state, bytes, owed, given FROM message "
             "WHERE id = ?1 AND state < 2"),
        finish(db, "UPDATE message SET state = ?2, reason = ?3, finished_wall = ?4, owed = 0 WHERE id = ?1"),
        cost(db, "UPDATE message SET frame_bytes = frame_bytes + ?2 WHERE id = ?1"),
        wire(db, "UPDATE message SET wire_bytes = wire_bytes + ?2 WHERE id = ?1"),
        erase_later(db, "INSERT OR IGNORE INTO erasure(id, boot, finished_boot) VALUES(?1, ?2, ?3)"),
        owed(db, "UPDATE message SET owed = ?2, given = ?3 WHERE id = ?1"),
        in_flight(db,
                  "UPDATE message SET state = 1, batch = ?2, sent_wall = coalesce(sent_wall, ?3) WHERE id = ?1 "
                  "AND state < 2"),
        back(db, "UPDATE message SET state = 0, batch = 0 WHERE id = ?1 AND state = 1"),
        all_back(db, "UPDATE message SET state = 0, batch = 0 WHERE peer = ?1 AND state = 1"),
        reclassify(db, "UPDATE message SET class = ?2 WHERE id = ?1 AND state = 0"),
        unfinished(db, "SELECT " TULPAR_ENTRY_COLUMNS
                       ", owed FROM message "
                       "WHERE peer = ?1 AND state < 2 AND id > ?2 AND id <= ?4 ORDER BY id LIMIT ?3"),
        add_peer(db, "INSERT OR IGNORE INTO peer(name, own_incarnation) VALUES(?1, ?2)"),
        find_peer(db, "SELECT id FROM peer WHERE name = ?1"),
        peer(db,
             "SELECT incarnation, number_end, batch_floor, batch_end, own_incarnation, low, cumulative, life, "
             "lives FROM peer WHERE id = ?1"),
        number_end(db, "UPDATE peer SET number_end = ?2 WHERE id = ?1"),
        batch_floor(db, "UPDATE peer SET batch_floor = max(batch_floor, ?2) WHERE id = ?1"),
        batch_end(db, "UPDATE peer SET batch_end = batch_end + ?2 WHERE id = ?1"),
        own_incarnation(db, "UPDATE peer SET own_incarnation = ?2 WHERE id = ?1"),
        lives(db, "UPDATE peer SET lives = ?2 WHERE id = ?1"),
        known_life(db, "UPDATE peer SET lives = substr(lives, -20) WHERE id = ?1 AND length(lives) > 20"),
        marks(db, "UPDATE peer SET low = ?2, cumulative = ?3, life = ?4 WHERE id = ?1"),
        incarnation(db, "UPDATE peer SET incarnation = ?2 WHERE id = ?1"),
        add_history(db,
                    "INSERT OR IGNORE INTO history(peer, outgoing, batch, plain) "
                    "VALUES(?1, ?2, ?3, ?4)"),
        history(db, "SELECT batch, plain FROM history WHERE peer = ?1 AND outgoing = ?2 ORDER BY batch"),
        history_sizes(db,
                      "SELECT batch, length(plain) FROM history WHERE peer = ?1 AND outgoing = ?2 "
                      "ORDER BY batch DESC"),
        trim_history(db, "DELETE FROM history WHERE peer = ?1 AND outgoing = ?2 AND batch < ?3"),
        cut_history(db, "DELETE FROM history WHERE peer = ?1 AND outgoing = ?2 AND batch >= ?3 AND batch < ?4"),
        clear_history(db, "DELETE FROM history WHERE peer = ?1 AND outgoing = ?2") {}

  Statement add_message, add_body, delete_body, add_seen, find, finish, cost, wire, erase_later, owed,
      in_flight, back, all_back, reclassify, unfinished, add_peer, find_peer, peer, number_end, batch_floor,
      batch_end, own_incarnation, lives, known_life, marks, incarnation, add_history, history, history_sizes,
      trim_history, cut_history, clear_history;
};

}  // namespace tulpar::queue
