// SPDX-License-Identifier: Apache-2.0
#include "queue/schema.hpp"

#include <fmt/format.h>

#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {

TEST_CASE("An empty file becomes the newest version and migrating again changes nothing") {
  TempDir dir;
  Database db(dir / "new.db", Database::Mode::kReadWrite);
  REQUIRE(migrate(db).has_value());
  CHECK(db.query_int("PRAGMA user_version") == kSchemaVersion);
  db.execute("INSERT INTO node(name) VALUES('x')");
  REQUIRE(migrate(db).has_value());
  CHECK(db.query_int("SELECT count(*) FROM node") == 1);
}

TEST_CASE("A migration that fails leaves the older version whole") {
  TempDir dir;
  Database db(dir / "odd.db", Database::Mode::kReadWrite);
  db.execute("CREATE TABLE usage(x)");
  CHECK_THROWS_AS(migrate(db), StoreError);
  CHECK(db.query_int("PRAGMA user_version") == 0);
  CHECK(db.query_int("SELECT count(*) FROM sqlite_master") == 1);
}

TEST_CASE("A newer version is refused and the words say what to do") {
  TempDir dir;
  Database db(dir / "newer.db", Database::Mode::kReadWrite);
  db.execute(fmt::format("PRAGMA user_version = {}", kSchemaVersion + 1));
  const auto done = migrate(db);
  REQUIRE(done.has_error());
  CHECK(done.error().message.find("newer program") != std::string::npos);
}

TEST_CASE("A statement that fails says what was tried and why") {
  TempDir dir;
  Database db(dir / "x.db", Database::Mode::kReadWrite);
  try {
    db.execute("INSERT INTO nowhere VALUES(1)");
    FAIL("no error");
  } catch (const StoreError& error) {
    CHECK(std::string(error.what()).find("no such table: nowhere") != std::string::npos);
  }
}

}  // namespace tulpar::queue
