// SPDX-License-Identifier: Apache-2.0
#include "gateway/plan_keeper.hpp"

#include "tests/catch.hpp"
#include "tests/gateway/link/memory_link.hpp"

namespace tulpar {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr queue::ClassId kMessage = 1, kNormal = 2, kTelemetry = 3, kBulk = 4;
constexpr WallTime kNovember{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1}};
constexpr WallTime kDecember{std::chrono::sys_days{std::chrono::year{2026} / 12 / 1}};

// 31 MB a month, 1 MB of it for emergency: in November an even pace is 1 MB a day.
config::Link a_link() {
  config::Link link;
  link.plan = config::Plan{.included = 31'000'000, .hard_cap = 31'000'000, .reserve = 1'000'000, .cycle = {}};
  link.plan_name = "certus-100";
  return link;
}

// The gateway's end with its real store; the clock shows noon on the first of November 2026.
struct Fixture {
  link::End gateway;
  queue::FakeClock& clock = gateway.files.clock;
  int wakes = 0;
  std::unique_ptr<PlanKeeper> keeper;

  Fixture() {
    gateway.open(true);
    start();
  }
  void start(const config::Link& link = a_link()) {
    keeper =
        std::make_unique<PlanKeeper>(link, link::quick_classes(), gateway.runner, clock, [this] { ++wakes; });
    keeper->set_peer(gateway.peer.get());
  }
  void answer() {
    while (gateway.runner.turn()) {
    }
  }
  void look() {
    keeper->step();
    answer();
  }
  // As much later as it asked to be looked at again.
  void look_when_due() {
    const auto due = keeper->next_wake();
    REQUIRE(due);
    clock.advance(std::max(*due - clock.now(), Millis{0}));
    look();
  }
  // A message of that class went over the link for so many bytes at IP level.
  void spend(queue::ClassId cls, std::int64_t bytes) {
    auto message = gateway.files.message();
    message.cls = cls;
    const auto id = gateway.files.accept(message).entry.id;
    gateway.files.run([&](queue::Store& store) {
      store.settle(gateway.files.peer, gateway.files.link, {.number = 1, .plain = {}, .messages = {{id, 1}}});
      store.book(gateway.files.link, {.wire_up = bytes / 2, .wire_down = bytes - bytes / 2});
    });
  }
  void spend_later(queue::ClassId cls, std::int64_t bytes) {
    clock.advance(seconds(10));
    spend(cls, bytes);
    keeper->changed();
    look();
  }
  std::vector<int> closed() {
    std::vector<int> classes;
    for (int i = 0; i < 5; ++i)
      if (gateway.peer->scheduler().state(static_cast<queue::ClassId>(i)).closed) classes.push_back(i);
    return classes;
  }
  const PlanFigures& figures() const { return keeper->figures().value(); }
  void boot_in_1970() {
    clock.reboot("boot-2", WallTime{} - clock.wall(), false);
    gateway.files.reopen();
    start();
  }
};

using Closed = std::vector<int>;

}  // namespace

TEST_CASE_METHOD(Fixture, "PlanKeeper: without a plan nothing is limited, read or told") {
  config::Link link;
  start(link);
  keeper->changed();
  keeper->step();
  CHECK_FALSE(gateway.runner.turn());
  CHECK_FALSE(keeper->figures());
  CHECK_FALSE(keeper->next_wake());
}

TEST_CASE_METHOD(Fixture, "PlanKeeper: a cycle that does not exist is an error at the start") {
  auto link = a_link();
  link.plan->cycle.zone = "Atlantis/Capital";
  CHECK_THROWS_WITH(start(link), Contains("Atlantis/Capital"));
}

TEST_CASE_METHOD(Fixture, "PlanKeeper: the figures are the ledger's, of this cycle and of today") {
  clock.advance(-days(2));  // in October
  spend(kNormal, 5'000'000);
  clock.advance(days(3));
  spend(kMessage, 600'000);
  clock.advance(days(1));
  spend(kNormal, 200'000);
  gateway.files.run([&](queue::Store& store) { store.book(gateway.files.link, {.wire_up = 50'000}); });
  CHECK_FALSE(keeper->figures());
  look();
  CHECK(wakes == 1);
  CHECK(figures().name == "certus-100");
  CHECK(figures().currency == "USD");
  CHECK(figures().zone == "UTC");
  CHECK(figures().status.used == 850'000);
  CHECK(figures().status.used_of_allowance == 250'000);
  CHECK(figures().status.resets_at == kDecember);
  CHECK(*figures().status.left == 30'000'000 - 850'000);
}

TEST_CASE_METHOD(Fixture, "PlanKeeper: what the day has used up closes, and opens when the next one begins") {
  spend(kNormal, 900'000);
  look();
  CHECK(closed() == Closed{kTelemetry, kBulk});
  CHECK(keeper->next_wake() == clock.now() + hours(12));
  look_when_due();
  CHECK(clock.wall() == kNovember + days(1));
  CHECK(closed().empty());
}

TEST_CASE_METHOD(Fixture, "PlanKeeper: at the end of the volume only an SOS goes, until the cycle ends") {
  spend(kMessage, 30'000'000);
  look();
  CHECK(closed() == Closed{kMessage, kNormal, kTelemetry, kBulk});
  CHECK(figures().status.state == queue::PlanState::kRed);
  while (clock.wall() < kDecember) look_when_due();
  CHECK(clock.wall() == kDecember);
  CHECK(closed() == Closed{kBulk});  // nothing is left over on the first day
  CHECK(figures().status.used == 0);
}

TEST_CASE_METHOD(Fixture, "PlanKeeper: a day and a cycle end also where nothing was held") {
  spend(kMessage, 100'000);
  look();
  CHECK(figures().status.used_of_allowance == 100'000);
  clock.advance(hours(12));
  look();
  CHECK(figures().status.used_of_allowance == 0);
  clock.advance(days(29));
  look();
  CHECK(figures().status.used == 0);
  CHECK(figures().status.resets_at > kDecember);
}

TEST_CASE_METHOD(Fixture, "PlanKeeper: it looks again after a change, at most every five seconds") {
  look();
  keeper->changed();
  CHECK(keeper->next_wake() == clock.now() + PlanKeeper::kEvery);
  clock.advance(PlanKeeper::kEvery - Millis{1});
  keeper->step();
  CHECK_FALSE(gateway.runner.turn());
  clock.advance(Millis{1});
  spend(kNormal, 1000);
  keeper->step();
  CHECK_FALSE(keeper->next_wake());  // the answer wakes it
  keeper->step();
  CHECK(gateway.runner.turn());
  CHECK_FALSE(gateway.runner.turn());
  CHECK(figures().status.used == 1000);
}

TEST_CASE_METHOD(Fixture, "PlanKeeper: what changes while it reads is read the next time") {
  keeper->step();
  spend(kNormal, 1000);
  keeper->changed();
  answer();
  CHECK(figures().status.used == 0);
  look_when_due();
  CHECK(figures().status.used == 1000);
}

TEST_CASE_METHOD(Fixture, "PlanKeeper: what the disk does not tell is asked again, and holds as it was") {
  spend(kNormal, 900'000);
  look();
  spend_later(kNormal, 200'000);
  const auto held = closed();
  gateway.runner.refuse_reads = true;
  spend_later(kMessage, 30'000'000);
  CHECK(closed() == held);
  CHECK(figures().status.used == 1'100'000);
  CHECK(keeper->next_wake() == clock.now() + PlanKeeper::kEvery);
  gateway.runner.refuse_reads = false;
  look_when_due();
  CHECK(closed() == Closed{kMessage, kNormal, kTelemetry, kBulk});
}

TEST_CASE_METHOD(Fixture, "PlanKeeper: an answer that comes after its end, or without a peer, harms nobody") {
  keeper->set_peer(nullptr);
  look();
  CHECK(keeper->figures());
  clock.advance(PlanKeeper::kEvery);
  keeper->changed();
  keeper->step();
  keeper.reset();
  CHECK(gateway.runner.turn());
  CHECK(wakes == 1);
}

TEST_CASE_METHOD(Fixture, "PlanKeeper: a clock that is no longer believed goes on in the last day it knew") {
  look();
  clock.trust(false);
  clock.advance(days(3));
  spend(kNormal, 1'100'000);
  keeper->changed();
  look();
  // Nothing is borrowed from days that may never come, and no end can be told.
  CHECK(closed() == Closed{kNormal, kTelemetry, kBulk});
  CHECK_FALSE(figures().status.classes[kNormal].until);
  CHECK_FALSE(figures().forecast);
  CHECK(figures().status.used_of_allowance == 1'100'000);
  clock.trust(true);
  gateway.files.run([](queue::Store& store) { store.date_usage(); });
  look_when_due();
  CHECK(closed() == Closed{kTelemetry});  // three quiet days have left enough, but for today's
}

TEST_CASE_METHOD(Fixture, "PlanKeeper: a gateway that boots in 1970 bills neither its whole life nor nothing") {
  spend(kMessage, 25'000'000);
  clock.advance(days(35));  // 6 December
  spend(kMessage, 9'000'000);
  boot_in_1970();
  look();
  // The last cycle that it knew goes on, and the last day in it.
  CHECK(figures().status.used == 9'000'000);
  CHECK(figures().status.used_of_allowance == 9'000'000);
  CHECK(closed() == Closed{kNormal, kTelemetry, kBulk});
  spend_later(kMessage, 21'100'000);
  CHECK(figures().status.state == queue::PlanState::kRed);
}

TEST_CASE_METHOD(Fixture,
                 "PlanKeeper: what an unknown time holds goes when the time is known, with nothing settled") {
  spend(kMessage, 30'000'000);
  boot_in_1970();
  look();
  REQUIRE(closed() == Closed{kMessage, kNormal, kTelemetry, kBulk});
  clock.reboot("boot-2", kDecember + days(1) - clock.wall(), true);
  look_when_due();
  CHECK(closed().empty());
}

TEST_CASE_METHOD(Fixture, "PlanKeeper: a gateway that never knew the time has the allowance of one day") {
  clock.reboot("boot-1", WallTime{} - clock.wall(), false);
  look();
  CHECK(closed() == Closed{kBulk});
  clock.advance(days(10));
  spend(kNormal, 1'100'000);
  keeper->changed();
  look();
  CHECK(closed() == Closed{kNormal, kTelemetry, kBulk});
}

TEST_CASE_METHOD(Fixture,
                 "PlanKeeper: a time that becomes known while it reads is not mixed with the old one") {
  clock.reboot("boot-1", WallTime{} - clock.wall(), false);
  keeper->step();
  clock.reboot("boot-1", kNovember + days(10) - clock.wall(), true);
  answer();
  CHECK_FALSE(figures().forecast);
  for (const auto& verdict : figures().status.classes) CHECK_FALSE(verdict.until);
  clock.advance(minutes(1));
  look();
  CHECK(figures().status.resets_at == kDecember);
}

TEST_CASE_METHOD(Fixture, "PlanKeeper: what a class may do over quota can change while it runs") {
  spend(kMessage, 30'000'000);
  look();
  auto classes = link::quick_classes();
  spend_later(kMessage, 1);
  REQUIRE(closed() == Closed{kMessage, kNormal, kTelemetry, kBulk});
  clock.advance(days(30));
  spend(kMessage, 1'100'000);
  look();
  REQUIRE(closed() == Closed{kTelemetry, kBulk});  // `message` goes to the end
  classes[kMessage].over_quota = config::OverQuota::kSlowedFirst;
  keeper->set_classes(classes);
  look_when_due();
  CHECK(closed() == Closed{kMessage, kTelemetry, kBulk});
}

TEST_CASE_METHOD(Fixture, "PlanKeeper: where it is heading is told once there is something to tell it from") {
  spend(kMessage, 2'000'000);
  look();
  CHECK_FALSE(figures().forecast);
  clock.advance(days(4));
  spend(kMessage, 6'000'000);
  keeper->changed();
  look();
  REQUIRE(figures().forecast);
  REQUIRE(figures().forecast->runs_out);
  CHECK(*figures().forecast->runs_out > clock.wall() + days(9));
  CHECK(*figures().forecast->runs_out < clock.wall() + days(14));
}

}  // namespace tulpar
