// SPDX-License-Identifier: Apache-2.0
//
// Clocks that are wrong, late, stepped or stopped, at the seams of store, scheduler, ledger and billing cycle:
// no byte is lost or counted twice, and what has a time to live lives as long.
#include <fmt/format.h>

#include "queue/cycle.hpp"
#include "queue/scheduler.hpp"
#include "queue/store_reader.hpp"
#include "tests/catch.hpp"
#include "tests/queue/stepped_clock.hpp"

namespace tulpar::queue {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Millis kTtl = hours(6);
constexpr Millis kMillisecond{1};
constexpr int kResolutions[] = {300, 3600, 86'400, 0};

WallTime day(int year, unsigned month, unsigned of_month) {
  return WallTime{std::chrono::sys_days{std::chrono::year{year} / month / of_month}};
}
std::int64_t unix_seconds(WallTime time) {
  return std::chrono::duration_cast<seconds>(time.time_since_epoch()).count();
}

struct Fixture : SteppedStore {
  // How many of the queued messages a scheduler that has just loaded them ends for their age.
  std::size_t expired() {
    auto classes = config::default_classes();
    classes[3].ttl = kTtl;
    Scheduler scheduler(classes);
    for (const auto& entry : queued()) scheduler.add(entry);
    return scheduler.take_expired(clock.now()).size();
  }
  // The only message lives until `left` from now, to the millisecond.
  void check_lives_for(Millis left) {
    pass(left - kMillisecond);
    CHECK(expired() == 0);
    pass(kMillisecond);
    CHECK(expired() == 1);
  }
  // As the program does every minute.
  void date_for(Millis time) {
    for (Millis past{0}; past <= time; past += minutes(1)) {
      run([](Store& s) { s.date_usage(); });
      if (past < time) clock.advance(minutes(1));
    }
  }
  std::int64_t latest(int resolution) {
    return query("SELECT max(start) FROM usage WHERE resolution = " + std::to_string(resolution));
  }
  void check_all_dated(std::int64_t bytes) {
    CHECK(undated() == 0);
    for (const int resolution : kResolutions) CHECK(dated(resolution) == bytes);
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "A machine that boots in 1970 and learns the time later") {
  clock.trust(false);
  clock.show(WallTime{minutes(1)});
  const WallTime began = clock.truth();
  accept();
  book(100);
  pass(hours(2));
  book(50);
  run([](Store& s) { s.date_usage(); });
  CHECK(undated() == 150);
  Millis unknown = hours(2);
  SECTION("at once, by a step of fifty-six years") { clock.error = Millis{0}; }
  SECTION("an hour after it was set") {
    clock.error = Millis{0};
    pass(hours(1));
    unknown += hours(1);
  }
  clock.trust(true);
  run([](Store& s) { s.date_usage(); });
  check_all_dated(150);
  CHECK(query("SELECT min(start) FROM usage WHERE resolution = 300") == slot_start(began, 300));
  CHECK(query("SELECT max(start) FROM usage WHERE resolution = 300") == slot_start(began + hours(2), 300));
  check_lives_for(kTtl - unknown);
}

TEST_CASE_METHOD(Fixture, "A boot that never learnt the time, and the next one that does") {
  clock.trust(false);
  clock.show(WallTime{});
  book(100);
  pass(hours(3));
  book(10);
  reboot(hours(1), false);
  book(1);
  pass(minutes(30));
  clock.trust(true);
  clock.error = Millis{0};
  SECTION("in one go") {
    run([](Store& s) { s.date_usage(); });
  }
  SECTION("after a group that failed") {
    CHECK_THROWS_AS(run([](Store& s) {
                      s.date_usage();
                      throw StoreError("no", SQLITE_FULL);
                    }),
                    StoreError);
    CHECK(undated() == 111);
    run([](Store& s) { s.date_usage(); });
    run([](Store& s) { s.date_usage(); });
  }
  check_all_dated(111);
}

TEST_CASE_METHOD(Fixture, "A step of the wall clock changes no time to live and no byte") {
  const bool believed = GENERATE(true, false);
  const Millis step =
      GENERATE(Millis{hours(1)}, -Millis{hours(1)}, Millis{days(1)}, -Millis{days(1)}, Millis{days(366)},
               -Millis{days(366)}, Millis{days(20'000)}, -Millis{days(20'000)});
  CAPTURE(believed, step.count());
  accept();
  book(100);
  clock.trust(believed);
  clock.error = step;
  pass(hours(1));
  book(10);
  run([](Store& s) { s.date_usage(); });
  run([](Store& s) { return s.erase_old(hours(1), days(14)); });
  clock.error = Millis{0};
  clock.trust(true);
  book(1);
  run([](Store& s) { s.date_usage(); });
  check_all_dated(111);
  check_lives_for(kTtl - hours(1));
}

TEST_CASE_METHOD(Fixture, "A clock that a reboot sets back makes no message immortal") {
  accept();
  pass(hours(2));
  reboot(hours(1));
  clock.error = -Millis{days(366)};
  reopen();
  // The hour off cannot be told from the step, so it does not count; the two hours on do, but for the boot's
  // first second.
  check_lives_for(kTtl - hours(2) - seconds(1));
}

TEST_CASE_METHOD(Fixture, "A reboot in the middle of a time to live") {
  accept();
  pass(hours(2));
  SECTION("with the time known, the time off counts") {
    reboot(hours(3));
    check_lives_for(hours(1));
  }
  SECTION("longer off than it lives") {
    reboot(hours(5));
    CHECK(expired() == 1);
  }
  SECTION("without the time, only the hours on count") {
    reboot(hours(3), false);
    check_lives_for(hours(4) - seconds(1));
  }
  SECTION("three in a row, the time known at the last") {
    reboot(minutes(30), false);
    pass(minutes(30));
    reboot(minutes(30), false);
    pass(minutes(30));
    reboot(hours(1));
    check_lives_for(hours(1));
  }
}

TEST_CASE_METHOD(Fixture, "A message that is older than the boot that it comes in") {
  reboot(hours(1));
  accept(kTtl - minutes(10));
  check_lives_for(minutes(10));
}

TEST_CASE_METHOD(Fixture, "A machine that was suspended") {
  const bool believed = GENERATE(true, false);
  clock.trust(believed);
  accept();
  book(100);
  SECTION("for less than a message lives") {
    clock.advance(hours(5));
    check_lives_for(hours(1));
  }
  SECTION("for longer") {
    clock.advance(days(3));
    CHECK(expired() == 1);
  }
  const WallTime woke = clock.truth();
  book(10);
  clock.trust(true);
  run([](Store& s) { s.date_usage(); });
  check_all_dated(110);
  CHECK(query("SELECT max(start) FROM usage WHERE resolution = 300") == slot_start(woke, 300));
}

TEST_CASE_METHOD(Fixture, "A delivered body is erased after its hour, whatever the wall clock says") {
  const Millis step = GENERATE(Millis{0}, Millis{days(366)}, -Millis{days(366)});
  const auto id = accept();
  run([&](Store& s) { s.settle(peer, link, {.number = 1, .plain = {}, .messages = {{id, 1}}}); });
  const auto bodies = [&](Millis after) {
    clock.advance(after);
    run([](Store& s) { return s.erase_old(hours(1), days(14)); });
    return query("SELECT count(*) FROM body");
  };
  clock.error = step;
  CHECK(bodies(minutes(30)) == 1);
  SECTION("in the same boot") { CHECK(bodies(minutes(30) - kMillisecond) == 1); }
  SECTION("after a reboot without the time") {
    reboot(hours(9), false);
    CHECK(bodies(minutes(30) - seconds(1) - kMillisecond) == 1);
  }
  CHECK(bodies(kMillisecond) == 0);
}

TEST_CASE_METHOD(Fixture, "Every byte belongs to one cycle, over leap days and when the clocks change") {
  struct Case {
    const char* zone;
    WallTime from;
    int reset_day, minute;
  };
  const auto [zone, from, reset_day, minute] = GENERATE(
      Case{"UTC", day(2028, 2, 28), 29, 0}, Case{"Asia/Almaty", day(2028, 2, 28), 31, 0},
      Case{"Europe/Berlin", day(2027, 3, 27), 28, 150}, Case{"Europe/Berlin", day(2027, 10, 30), 31, 150},
      Case{"Australia/Lord_Howe", day(2027, 4, 2), 4, 105}, Case{"Asia/Kathmandu", day(2027, 5, 31), 1, 7});
  CAPTURE(zone);
  const auto cycle = BillingCycle::make({.reset_day = reset_day, .reset_minute = minute, .zone = zone}).value();
  clock.show(from);
  std::map<std::int64_t, std::int64_t> expected;  // by the cycle's begin
  std::int64_t total = 0;
  for (std::int64_t bytes = 1; bytes <= 3 * 96; ++bytes) {
    expected[unix_seconds(cycle.at(clock.wall()).begin)] += bytes;
    book(bytes);
    total += bytes;
    clock.advance(minutes(15));
  }
  check_all_dated(total);
  CHECK(expected.size() == 2);
  StoreReader reader(path);
  // What was used since a begin, without what was used since the next.
  std::int64_t later = 0;
  for (auto each = expected.rbegin(); each != expected.rend(); ++each) {
    std::int64_t since = 0;
    for (const auto& [cls, bytes] : reader.used_since("sat", each->first)) since += bytes;
    CHECK(since - later == each->second);
    later = since;
  }
  CHECK(later == total);
}

TEST_CASE_METHOD(Fixture, "What was booked under a wrong later time counts in one cycle") {
  const Millis ahead = GENERATE(days(5), days(20), days(50), days(20'000));
  CAPTURE(ahead.count());
  book(10);
  clock.error = ahead;
  book(1000);
  pass(days(2));
  book(500);
  clock.error = Millis{0};
  book(1);
  date_for(hours(1));
  StoreReader reader(path);
  const auto cycle = BillingCycle::make({}).value();
  const auto since = [&](WallTime at) {
    return reader.used_since("sat", unix_seconds(cycle.at(at).begin))[""];
  };
  CHECK(since(clock.wall()) == 1511);
  CHECK(since(clock.wall() + days(31)) == 0);
  check_all_dated(1511);
  for (const int resolution : kResolutions) CHECK(latest(resolution) == slot_start(clock.wall(), resolution));
  CHECK(query("SELECT min(wire_up) FROM usage") > 0);
}

TEST_CASE_METHOD(Fixture, "What stands ahead of a clock stays there until the clock is steady") {
  clock.error = days(50);
  book(1000);
  const std::int64_t there = slot_start(clock.wall(), 300);
  clock.error = Millis{0};
  SECTION("it goes on for less than an hour") { date_for(minutes(59)); }
  SECTION("it is not believed") {
    date_for(minutes(50));
    clock.trust(false);
    date_for(hours(2));
    clock.trust(true);
    date_for(minutes(50));
  }
  SECTION("it is set again and again") {
    for (int i = 0; i < 5; ++i) {
      clock.error += minutes(i % 2 ? 2 : -2);
      date_for(minutes(50));
    }
  }
  CHECK(latest(300) == there);
  date_for(hours(1));
  CHECK(latest(300) < there);
  check_all_dated(1000);
}

TEST_CASE_METHOD(Fixture, "A clock that is early by less than a day moves nothing that was booked rightly") {
  clock.show(day(2027, 5, 31) + hours(23));
  book(1000);
  const std::int64_t there = slot_start(clock.wall(), 300);
  clock.error -= hours(24);
  date_for(hours(3));
  CHECK(latest(300) == there);
}

TEST_CASE_METHOD(Fixture, "A clock of before this program moves nothing, however steady") {
  book(1000);
  const std::int64_t there = slot_start(clock.wall(), 300);
  clock.error = -days(7 * 1024);  // what a GPS receiver's week number comes to
  date_for(hours(3));
  CHECK(latest(300) == there);
  clock.error = Millis{0};
  check_all_dated(1000);
}

TEST_CASE_METHOD(Fixture, "Times at the ends of what a clock can show do no harm") {
  const WallTime shown =
      GENERATE(day(1900, 1, 1), day(1969, 12, 31), day(2038, 1, 20), day(2106, 2, 8), day(9999, 12, 31));
  accept();
  book(100);
  clock.show(shown);
  pass(hours(1));
  accept();
  book(10);
  run([](Store& s) { s.date_usage(); });
  run([](Store& s) { return s.erase_old(hours(1), days(14)); });
  reboot(hours(1));
  CHECK(queued().size() == 2);
  check_all_dated(110);
}

}  // namespace tulpar::queue
