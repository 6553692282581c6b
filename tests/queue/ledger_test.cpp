// SPDX-License-Identifier: Apache-2.0
#include "queue/ledger.hpp"

#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {
namespace {

std::int64_t seconds(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  const auto at = std::chrono::sys_days{std::chrono::year{year} / month / day} + std::chrono::hours(hour) +
                  std::chrono::minutes(minute);
  return std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
}
WallTime wall(std::int64_t at) { return WallTime{std::chrono::seconds(at)}; }

}  // namespace

TEST_CASE("Slots begin on whole five minutes, hours, days and months of UTC") {
  const auto at = wall(seconds(2028, 2, 29, 23, 59)) + Millis{59'999};
  CHECK(slot_start(at, 300) == seconds(2028, 2, 29, 23, 55));
  CHECK(slot_start(at, 3600) == seconds(2028, 2, 29, 23));
  CHECK(slot_start(at, 86'400) == seconds(2028, 2, 29));
  CHECK(slot_start(at, 0) == seconds(2028, 2, 1));
  CHECK(slot_start(at + Millis{1}, 0) == seconds(2028, 3, 1));
  CHECK(slot_start(wall(seconds(2028, 3, 1)), 300) == seconds(2028, 3, 1));
}

TEST_CASE("A time before 1970 has slots, too") {
  CHECK(slot_start(wall(-1), 300) == -300);
  CHECK(slot_start(wall(-300), 300) == -300);
  CHECK(slot_start(wall(-1), 0) == seconds(1969, 12, 1));
}

TEST_CASE_METHOD(StoreFixture, "What has gathered is written once and forgotten after a rollback") {
  Ledger ledger(store->database());
  const UsageKey key{link, 1, 0};
  ledger.add(key, {.messages = 1, .payload = 2, .frame = 3, .wire_up = 4, .wire_down = 5});
  ledger.add(key, {.messages = 1, .wire_up = 6});
  ledger.flush(1, clock.now(), clock.wall());
  ledger.flush(1, clock.now(), clock.wall());
  CHECK(query("SELECT wire_up FROM usage WHERE resolution = 0") == 10);
  CHECK(query("SELECT messages FROM usage WHERE resolution = 0") == 2);
  ledger.add(key, {.wire_up = 100});
  ledger.forget();
  ledger.flush(1, clock.now(), clock.wall());
  CHECK(query("SELECT wire_up FROM usage WHERE resolution = 0") == 10);
}

TEST_CASE_METHOD(StoreFixture, "Usage without a date lies in five-minute slots of its boot") {
  Ledger ledger(store->database());
  for (int minute = 0; minute < 12; ++minute) {
    ledger.add({link, -1, 0}, Usage{.wire_up = 1});
    ledger.flush(1, BootTime{std::chrono::minutes(minute)}, std::nullopt);
  }
  CHECK(query("SELECT count(*) FROM undated") == 3);
  const auto now = BootTime{std::chrono::minutes(12)};
  CHECK(ledger.date(1, now, wall(seconds(2026, 11, 2))) == 3);
  CHECK(ledger.date(1, now, wall(seconds(2026, 11, 2))) == 0);
  CHECK(query("SELECT sum(wire_up) FROM usage WHERE resolution = 300") == 12);
  CHECK(query("SELECT min(start) FROM usage WHERE resolution = 86400") == seconds(2026, 11, 1));
}

TEST_CASE("A book balances only where nothing is missing") {
  Book book{
      .accepted = 5, .delivered = 1, .expired = 1, .conflated = 1, .dropped = 1, .queued = 1, .duplicates = 9};
  CHECK(book.balances());
  book += Book{.accepted = 1};
  CHECK_FALSE(book.balances());
}

}  // namespace tulpar::queue
