// SPDX-License-Identifier: Apache-2.0
#include "queue/schema.hpp"

#include <fmt/format.h>

#include <array>

#include "config/fail_point.hpp"

namespace tulpar::queue {
namespace {

// Version 1. Times are milliseconds; `*_boot` of CLOCK_BOOTTIME in the boot named beside it, `*_wall` since
// 1970 and NULL while the clock was not believable. Rows grow at the end; what changes often is small and apart
// from the bodies.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE boot(                       -- one row per boot of the machine, for ages across reboots
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  last_boot INTEGER NOT NULL, last_wall INTEGER);

CREATE TABLE class(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE node(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE sink(bit INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

CREATE TABLE peer(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  own_incarnation INTEGER NOT NULL,        -- ours towards it
  incarnation INTEGER NOT NULL DEFAULT 0,  -- theirs, as last heard; 0: none yet
  number_end INTEGER NOT NULL DEFAULT 1,   -- sending: message numbers below may have been given
  batch_floor INTEGER NOT NULL DEFAULT 1,  -- sending: all batch numbers below are closed here, too
  batch_end INTEGER NOT NULL DEFAULT 1,    -- sending: numbers below may have been used
  lives BLOB NOT NULL DEFAULT x'',         -- sending: SendState::lives, 20 bytes each
  life INTEGER NOT NULL DEFAULT 0,         -- receiving: the peer's, as it was when it last changed what is here
  low INTEGER NOT NULL DEFAULT 1,          -- receiving: message numbers below are known
  cumulative INTEGER NOT NULL DEFAULT 0);  -- receiving: batch numbers up to it are closed
CREATE TABLE received(                   -- message numbers known above peer.low
  peer INTEGER NOT NULL, first INTEGER NOT NULL, end INTEGER NOT NULL, PRIMARY KEY(peer, first)) WITHOUT ROWID;
CREATE TABLE closed(                     -- batch numbers closed above peer.cumulative
  peer INTEGER NOT NULL, first INTEGER NOT NULL, end INTEGER NOT NULL, PRIMARY KEY(peer, first)) WITHOUT ROWID;
CREATE TABLE history(                    -- plain texts that both ends hold; outgoing 1: we sent it
  peer INTEGER NOT NULL, outgoing INTEGER NOT NULL, batch INTEGER NOT NULL,
  plain BLOB NOT NULL, UNIQUE(peer, outgoing, batch));

CREATE TABLE message(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  peer INTEGER NOT NULL,                 -- where it goes; 0: the sinks here
  number INTEGER NOT NULL,               -- towards that peer; 0 for the sinks
  class INTEGER NOT NULL, node INTEGER NOT NULL, kind INTEGER NOT NULL,
  state INTEGER NOT NULL, reason INTEGER NOT NULL DEFAULT 0,
  bytes INTEGER NOT NULL, topic TEXT NOT NULL, packet INTEGER NOT NULL DEFAULT 0, flagged INTEGER NOT NULL DEFAULT 0,
  origin INTEGER NOT NULL DEFAULT 0, origin_number INTEGER NOT NULL DEFAULT 0,
  origin_incarnation INTEGER NOT NULL DEFAULT 0,
  owed INTEGER NOT NULL DEFAULT 0,       -- bit i: sink i has not acknowledged it yet
  given INTEGER NOT NULL DEFAULT 0,      -- sinks that took it
  boot INTEGER NOT NULL, accepted_boot INTEGER NOT NULL, accepted_wall INTEGER,
  batch INTEGER NOT NULL DEFAULT 0,      -- while in flight
  sent_wall INTEGER,                     -- when its first batch was begun
  finished_wall INTEGER, frame_bytes INTEGER NOT NULL DEFAULT 0, wire_bytes INTEGER NOT NULL DEFAULT 0);
CREATE INDEX message_unfinished ON message(peer, id) WHERE state < 2;
CREATE INDEX message_finished ON message(id) WHERE state >= 2;
CREATE TABLE body(id INTEGER PRIMARY KEY, payload BLOB NOT NULL);
CREATE TABLE erasure(                    -- bodies to be erased some time after their end
  id INTEGER PRIMARY KEY, boot INTEGER NOT NULL, finished_boot INTEGER NOT NULL);
CREATE TABLE seen(                       -- Meshtastic (from, id) per mesh; day since 1970, 0 while it was not known
  id INTEGER PRIMARY KEY, packet INTEGER NOT NULL, scope INTEGER NOT NULL, day INTEGER NOT NULL,
  UNIQUE(packet, scope));

CREATE TABLE mark(                       -- the last messages taken from a broker, to know its redeliveries after a restart
  id INTEGER PRIMARY KEY AUTOINCREMENT, source TEXT NOT NULL, packet INTEGER NOT NULL, fingerprint INTEGER NOT NULL);

CREATE TABLE book(                       -- accepted = delivered + expired + conflated + dropped + queued, always
  edge INTEGER NOT NULL, class INTEGER NOT NULL,
  accepted INTEGER NOT NULL DEFAULT 0, delivered INTEGER NOT NULL DEFAULT 0, expired INTEGER NOT NULL DEFAULT 0,
  conflated INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0, queued INTEGER NOT NULL DEFAULT 0,
  duplicates INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(edge, class)) WITHOUT ROWID;
CREATE TABLE drops(edge INTEGER NOT NULL, class INTEGER NOT NULL, reason INTEGER NOT NULL,
  count INTEGER NOT NULL DEFAULT 0, PRIMARY KEY(edge, class, reason)) WITHOUT ROWID;

CREATE TABLE link(                       -- lifetime totals
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  payload_up INTEGER NOT NULL DEFAULT 0, payload_down INTEGER NOT NULL DEFAULT 0,
  frame_up INTEGER NOT NULL DEFAULT 0, frame_down INTEGER NOT NULL DEFAULT 0,
  wire_up INTEGER NOT NULL DEFAULT 0, wire_down INTEGER NOT NULL DEFAULT 0,
  session_opens INTEGER NOT NULL DEFAULT 0,
  last_session INTEGER NOT NULL DEFAULT 0, session_up INTEGER NOT NULL DEFAULT 0, session_down INTEGER NOT NULL DEFAULT 0);
CREATE TABLE usage(                      -- resolution in seconds (300, 3600, 86400) or 0 for a month; start: unix seconds, UTC
  resolution INTEGER NOT NULL, start INTEGER NOT NULL, link INTEGER NOT NULL, class INTEGER NOT NULL, node INTEGER NOT NULL,
  messages INTEGER NOT NULL DEFAULT 0, payload INTEGER NOT NULL DEFAULT 0, frame INTEGER NOT NULL DEFAULT 0,
  wire_up INTEGER NOT NULL DEFAULT 0, wire_down INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(resolution, start, link, class, node)) WITHOUT ROWID;
CREATE TABLE undated(                    -- usage while the clock was not believable; start: boot seconds, 300 s slots
  boot INTEGER NOT NULL, start INTEGER NOT NULL, link INTEGER NOT NULL, class INTEGER NOT NULL, node INTEGER NOT NULL,
  messages INTEGER NOT NULL DEFAULT 0, payload INTEGER NOT NULL DEFAULT 0, frame INTEGER NOT NULL DEFAULT 0,
  wire_up INTEGER NOT NULL DEFAULT 0, wire_down INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(boot, start, link, class, node)) WITHOUT ROWID;
)sql";

constexpr std::array<const char*, kSchemaVersion> kMigrations = {kVersion1};

}  // namespace

Result<void> migrate(Database& db) {
  const auto found = static_cast<int>(db.query_int("PRAGMA user_version"));
  if (found > kSchemaVersion)
    return Error{
        fmt::format("the store has version {}, this program knows up to {}: use the newer program, "
                    "or move the file away to begin with an empty store",
                    found, kSchemaVersion)};
  for (int version = found; version < kSchemaVersion; ++version) {
    Transaction transaction(db);
    db.execute(kMigrations[version]);
    db.execute(fmt::format("PRAGMA user_version = {}", version + 1));
    TULPAR_FAIL_POINT("store.migrate");
    transaction.commit();
    TULPAR_FAIL_POINT("store.migrated");
  }
  return {};
}

}  // namespace tulpar::queue
