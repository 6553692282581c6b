// SPDX-License-Identifier: Apache-2.0
#include "tests/queue/cut_vfs.hpp"

#include <algorithm>
#include <filesystem>

#include "queue/sqlite.hpp"
#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {
namespace {

const std::string kPath = "/nowhere/test.db";

Database open(Database::Mode mode = Database::Mode::kReadWrite) { return {kPath, mode}; }
Database open_wal(const std::string& synchronous = "FULL") {
  Database db = open();
  db.execute("PRAGMA journal_mode = WAL");
  db.execute("PRAGMA synchronous = " + synchronous);
  return db;
}

struct Fixture {
  CutMachine machine{"test.db"};
};

std::int64_t rows(Database& db) { return db.query_int("SELECT count(*) FROM t"); }

}  // namespace

TEST_CASE_METHOD(Fixture, "Files of a machine are in memory and others where they were") {
  {
    auto db = open();
    db.execute("CREATE TABLE t(x)");
    CHECK(machine.operations() > 0);
    CHECK_FALSE(std::filesystem::exists(kPath));
  }
  auto again = open();
  CHECK(rows(again) == 0);
  const TempDir dir;
  Database other(dir / "other.db", Database::Mode::kReadWrite);
  other.execute("CREATE TABLE t(x)");
  CHECK(std::filesystem::exists(dir / "other.db"));
}

TEST_CASE_METHOD(Fixture, "A writer and readers share the log, and a reader keeps its view") {
  auto db = open_wal();
  db.execute("CREATE TABLE t(x)");
  auto reader = open(Database::Mode::kReadOnly), other = open(Database::Mode::kReadOnly);
  db.execute("INSERT INTO t VALUES(1), (2)");
  Statement view(reader, "SELECT x FROM t");
  REQUIRE(view.step());
  db.execute("INSERT INTO t VALUES(3)");
  CHECK(rows(reader) == 2);
  CHECK(rows(other) == 3);
  // Busy: the reader's view ends before the log.
  sqlite3_busy_timeout(db.handle(), 0);
  CHECK(db.query_int("PRAGMA wal_checkpoint(TRUNCATE)") == 1);
  view.reset();
  CHECK(rows(reader) == 3);
  CHECK(db.query_int("PRAGMA wal_checkpoint(TRUNCATE)") == 0);
}

TEST_CASE_METHOD(Fixture, "One writer at a time, with a log and without") {
  const bool wal = GENERATE(true, false);
  auto db = wal ? open_wal() : open();
  db.execute("CREATE TABLE t(x)");
  auto second = open();
  sqlite3_busy_timeout(second.handle(), 0);
  {
    Transaction transaction(db);
    db.execute("INSERT INTO t VALUES(1)");
    CHECK_THROWS_AS(second.execute("INSERT INTO t VALUES(2)"), StoreError);
    transaction.commit();
  }
  second.execute("INSERT INTO t VALUES(2)");
  CHECK(rows(db) == 2);
}

TEST_CASE("A committed row outlives every cut if it was synced, and only then") {
  const auto kept_of_100 = [](const std::string& synchronous) {
    int kept = 0;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      CutMachine machine("test.db");
      auto before = open_wal();
      before.execute("CREATE TABLE t(x)");
      before.execute("PRAGMA synchronous = " + synchronous);
      before.execute("INSERT INTO t VALUES(1)");
      machine.cut_power(seed);
      auto after = open_wal();
      CHECK(after.query_int("PRAGMA integrity_check") == 0);  // the text "ok"
      kept += static_cast<int>(rows(after));
    }
    return kept;
  };
  CHECK(kept_of_100("FULL") == 100);
  for (const auto* lazy : {"NORMAL", "OFF"}) {
    const int kept = kept_of_100(lazy);
    CHECK(kept > 10);
    CHECK(kept < 90);
  }
}

TEST_CASE_METHOD(Fixture, "A machine that stops fails what is under way, and who was connected stays out") {
  auto before = open_wal();
  before.execute("CREATE TABLE t(x)");
  machine.stop_after(1);
  CHECK_THROWS_AS(before.execute("INSERT INTO t VALUES(1)"), StoreError);
  CHECK(machine.stopped());
  CHECK_THROWS_AS(open().execute("PRAGMA user_version"), StoreError);
  machine.cut_power(1);
  CHECK_FALSE(machine.stopped());
  CHECK_THROWS_AS(before.execute("INSERT INTO t VALUES(1)"), StoreError);
  auto after = open_wal();
  CHECK(rows(after) == 0);
  after.execute("INSERT INTO t VALUES(1)");
  CHECK(rows(after) == 1);
}

TEST_CASE("What a killed process had written is there, and a cut after it may still take it") {
  int kept = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    CutMachine machine("test.db");
    auto before = open_wal();
    before.execute("CREATE TABLE t(x)");
    before.execute("PRAGMA synchronous = OFF");
    before.execute("INSERT INTO t VALUES(1)");
    machine.kill_process();
    {
      auto after = open(Database::Mode::kReadWrite);
      CHECK(rows(after) == 1);
      machine.cut_power(seed);
    }
    auto last = open();
    kept += static_cast<int>(rows(last));
  }
  CHECK(kept > 10);
  CHECK(kept < 90);
}

TEST_CASE_METHOD(Fixture, "The journal of a machine makes the same disk again") {
  std::vector<DiskOperation> journal;
  machine.record(journal);
  auto db = open_wal();
  db.execute("CREATE TABLE t(x)");
  db.execute("INSERT INTO t VALUES(randomblob(20000))");
  REQUIRE(journal.size() == machine.operations());
  PowerCutDisk again;
  for (const auto& operation : journal) again.apply(operation);
  for (const auto* name : {"/nowhere/test.db", "/nowhere/test.db-wal"}) {
    const auto disk = machine.disk();
    REQUIRE(again.find(name) == disk.find(name));
    CHECK(std::ranges::equal(again.content(*again.find(name)), disk.content(*disk.find(name))));
  }
}

}  // namespace tulpar::queue
