// SPDX-License-Identifier: Apache-2.0
//
// Ages and usage across reboots, with clocks that are believed, not believed, and believed late.
#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

struct Fixture : StoreFixture {
  // How old the only queued message is, as loaded after a restart.
  Millis age() {
    reopen();
    const auto queued = run([&](Store& s) { return s.load_send(peer); }).queued;
    REQUIRE(queued.size() == 1);
    return clock.now() - queued[0].accepted;
  }
  void note() {
    run([](Store&) {});
  }
  Usage used(int resolution) {
    Statement sum(
        store->database(),
        "SELECT coalesce(sum(wire_up), 0), coalesce(sum(wire_down), 0) FROM usage WHERE resolution = ?1");
    sum(resolution).step();
    return {.wire_up = sum.integer(0), .wire_down = sum.integer(1)};
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "A message's age goes on over restarts in one boot") {
  accept(message());
  clock.advance(hours(3));
  CHECK(age() == hours(3));
}

TEST_CASE_METHOD(Fixture, "What a message waited at its origin counts") {
  auto made = message();
  made.age = hours(5);
  accept(made);
  CHECK(age() == hours(5));
}

TEST_CASE_METHOD(Fixture, "With a believable clock the time that the machine was off counts") {
  accept(message());
  clock.advance(hours(2));
  note();
  clock.reboot("boot-2", hours(7));
  CHECK(age() == hours(9));
  clock.advance(hours(1));
  clock.reboot("boot-3", hours(1));
  CHECK(age() == hours(11));
}

TEST_CASE_METHOD(Fixture, "Without a believable clock only the time that it was on counts") {
  clock.trust(false);
  accept(message());
  clock.advance(hours(2));
  note();
  clock.reboot("boot-2", hours(70), false);
  CHECK(age() == hours(2) + Millis{1000});
}

TEST_CASE_METHOD(Fixture, "A clock that is no longer believed makes no message older than it is") {
  accept(message());
  note();
  clock.trust(false);
  clock.advance(hours(4));
  note();
  clock.reboot("boot-2", hours(1));
  CHECK(age() == hours(5));
}

TEST_CASE_METHOD(Fixture, "An age found before the clock was believed is corrected by the next start") {
  accept(message());
  note();
  clock.reboot("boot-2", hours(6), false);
  CHECK(age() < hours(1));
  clock.trust(true);
  CHECK(age() == hours(6));
}

TEST_CASE_METHOD(Fixture, "Usage under an unbelievable clock is moved to its time and no byte is lost") {
  clock.trust(false);
  run([&](Store& s) { s.book(link, {.wire_up = 100, .wire_down = 7}); });
  clock.advance(minutes(20));
  run([&](Store& s) { s.book(link, {.wire_up = 1}); });
  run([](Store& s) { s.date_usage(); });
  CHECK(used(300).wire_up == 0);
  clock.trust(true);
  run([](Store& s) { s.date_usage(); });
  for (int resolution : {300, 3600, 86'400, 0}) {
    CHECK(used(resolution).wire_up == 101);
    CHECK(used(resolution).wire_down == 7);
  }
  CHECK(query("SELECT count(*) FROM undated") == 0);
  CHECK(query("SELECT max(start) - min(start) FROM usage WHERE resolution = 300") == 1200);
  run([](Store& s) { s.date_usage(); });
  CHECK(used(0).wire_up == 101);
}

TEST_CASE_METHOD(Fixture, "Usage of an earlier boot that never knew the time is moved, too") {
  clock.trust(false);
  run([&](Store& s) { s.book(link, {.wire_up = 100}); });
  clock.reboot("boot-2", hours(1), false);
  reopen();
  run([&](Store& s) { s.book(link, {.wire_up = 5}); });
  clock.trust(true);
  run([](Store& s) { s.date_usage(); });
  CHECK(used(86'400).wire_up == 105);
  CHECK(query("SELECT count(*) FROM undated") == 0);
}

TEST_CASE("The clock is asked whether it is right once for a write group") {
  struct CountingClock : FakeClock {
    bool trusted() const override {
      ++asked;
      return FakeClock::trusted();
    }
    mutable int asked = 0;
  };
  TempDir dir;
  CountingClock clock;
  auto store = open_store(dir / "queue.db", clock);
  std::vector<NewMessage> messages(50, NewMessage{.node = "!1", .topic = "t", .payload = {1}});
  for (std::size_t i = 0; i < messages.size(); ++i) messages[i].packet = i + 1;
  clock.asked = 0;
  commit(*store, [&](Store& s) { return s.accept(messages); });
  CHECK(clock.asked == 1);

  // The next group sees what has changed meanwhile.
  clock.trust(false);
  messages.front().packet = 1000;
  commit(*store, [&](Store& s) { return s.accept(std::span(messages).first(1)); });
  CHECK(store->database().query_int("SELECT count(*) FROM message WHERE accepted_wall IS NULL") == 1);
}

TEST_CASE_METHOD(Fixture, "A minute in another year costs no usage that was counted before") {
  run([&](Store& s) { s.book(link, {.wire_up = 100}); });
  clock.advance(hours(24 * 1200));
  run([&](Store& s) { s.book(link, {.wire_up = 1}); });
  run([](Store& s) { return s.erase_old(hours(1), hours(24 * 14)); });
  for (int resolution : {300, 3600, 86'400, 0}) CHECK(used(resolution).wire_up == 101);
}

TEST_CASE_METHOD(Fixture, "The newest slots of each resolution are kept, and looked at once an hour") {
  const auto slots = [&](int resolution) {
    return query("SELECT count(DISTINCT start) FROM usage WHERE resolution = " + std::to_string(resolution));
  };
  const auto fill = [&](int resolution, int count) {
    store->database().execute("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < " +
                              std::to_string(count - 1) +
                              ") INSERT INTO usage(resolution, start, link, class, node) SELECT " +
                              std::to_string(resolution) + ", i * 300, 1, c.id, 0 FROM n, class c");
  };
  const auto erase = [&] { run([](Store& s) { return s.erase_old(hours(1), hours(24 * 14)); }); };
  fill(300, 33 * 288 + 5);
  fill(3600, 62 * 24);
  erase();
  CHECK(slots(300) == 33 * 288);
  CHECK(query("SELECT min(start) FROM usage WHERE resolution = 300") == 5 * 300);
  CHECK(slots(3600) == 62 * 24);
  fill(86'400, 801);
  erase();
  CHECK(slots(86'400) == 801);
  clock.advance(hours(1));
  erase();
  CHECK(slots(86'400) == 800);
}

TEST_CASE_METHOD(Fixture, "A store tells when the time was last believed, and in which boot") {
  CHECK_FALSE(Store::last_believed(dir / "none.db"));
  CHECK_FALSE(std::filesystem::exists(dir / "none.db"));
  note();
  auto last = Store::last_believed(path);
  REQUIRE(last);
  CHECK(last->boot_id == "boot-1");
  CHECK(last->wall - (last->boot - clock.now()) == clock.wall());
  const auto wall = last->wall;
  clock.reboot("boot-2", hours(1), false);
  reopen();
  last = Store::last_believed(path);
  REQUIRE(last);
  CHECK(last->boot_id == "boot-1");  // this boot's was never known
  CHECK(last->wall == wall);
}

}  // namespace tulpar::queue
