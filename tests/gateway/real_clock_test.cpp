// SPDX-License-Identifier: Apache-2.0
#include "gateway/real_clock.hpp"

#include <sys/timex.h>
#include <time.h>

#include <fstream>

#include "tests/catch.hpp"

namespace tulpar {
namespace {

BootTime kernel_says() {
  timespec time{};
  REQUIRE(clock_gettime(CLOCK_BOOTTIME, &time) == 0);
  return BootTime(std::chrono::seconds(time.tv_sec)) + Millis(time.tv_nsec / 1'000'000);
}

}  // namespace

TEST_CASE("RealClock: now is the time since this boot") {
  const RealClock clock;
  const auto before = kernel_says(), now = clock.now(), after = kernel_says();
  CHECK(before <= now);
  CHECK(now <= after);
  CHECK(now.time_since_epoch() > Millis{0});
}

TEST_CASE("RealClock: the boot has a name, the same for all") {
  const RealClock clock, another;
  CHECK_FALSE(clock.boot_id().empty());
  CHECK(clock.boot_id() == another.boot_id());
  CHECK(clock.boot_id().find_first_of(" \n") == std::string::npos);
  std::string name;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> name;
  if (!name.empty()) CHECK(clock.boot_id() == name);
}

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

constexpr WallTime kStop{std::chrono::sys_days{std::chrono::year{2027} / 3 / 1}};  // the last believed time
constexpr BootTime kBoot{minutes(1)};

struct Judged {
  ClockJudge judge;
  BootTime boot = kBoot;
  bool at(WallTime wall, bool disciplined = false, bool awaits = false) {
    return judge.believes({.boot = boot, .wall = wall, .disciplined = disciplined, .awaits = awaits});
  }
};

struct AfterStop : Judged {
  AfterStop() { judge.go_on_from(kStop, std::nullopt); }
};

}  // namespace

TEST_CASE_METHOD(Judged, "The clock: with nothing known, a time is believed from this program's making on") {
  const WallTime made{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1}};
  CHECK_FALSE(at(WallTime{}));
  CHECK_FALSE(at(made - Millis{1}));
  CHECK_FALSE(at(made, false, true));
  CHECK(at(made));
}

TEST_CASE_METHOD(AfterStop, "The clock: a boot with the time of the last shutdown waits for the time service") {
  CHECK_FALSE(at(kStop + minutes(1), false, true));
  boot += minutes(5);
  CHECK(at(kStop + days(20), true, true));
  // The service lost its servers: the time goes on, and no other is taken for it.
  boot += hours(50);
  CHECK(at(kStop + days(20) + hours(50), false, true));
  CHECK_FALSE(at(kStop + days(19), false, true));
  CHECK_FALSE(at(kStop + days(23), false, true));
  CHECK(at(kStop + days(20) + hours(50), false, true));
}

TEST_CASE_METHOD(AfterStop, "The clock: what nobody vouches for is believed near the last believed time only") {
  CHECK_FALSE(at(kStop - days(1) - Millis{1}));
  CHECK_FALSE(at(kStop + days(62) + Millis{1}));
  SECTION("a little early") { CHECK(at(kStop - days(1))); }
  SECTION("after two cycles in a box") { CHECK(at(kStop + days(62))); }
  SECTION("in another year, unless it is kept") {
    const WallTime later = kStop + days(1000);
    CHECK_FALSE(at(later));
    CHECK(at(later, true));
    CHECK(at(later));
  }
}

TEST_CASE_METHOD(Judged, "The clock: one minute in another year is not believed and the time after it is") {
  CHECK(at(kStop));
  boot += minutes(10);
  CHECK_FALSE(at(kStop + days(1000)));
  boot += minutes(1);
  CHECK(at(kStop + minutes(11)));
}

TEST_CASE_METHOD(Judged, "The clock: a restart of the program in the same boot goes on where it was") {
  judge.go_on_from(kStop, kBoot);
  boot += hours(3);
  CHECK(at(kStop + hours(3), false, true));
  CHECK_FALSE(at(kStop + hours(4), false, true));
  CHECK(at(kStop + hours(4)));  // set by hand, where nothing else sets it
}

TEST_CASE_METHOD(Judged, "The clock: many small steps are one large step") {
  judge.go_on_from(kStop, kBoot);
  CHECK(at(kStop + minutes(1), false, true));
  CHECK_FALSE(at(kStop + minutes(2), false, true));
}

TEST_CASE("RealClock: what an earlier life believed counts") {
  timex kernel{};
  const int said = adjtimex(&kernel);
  if (said >= 0 && said != TIME_ERROR) {
    WARN("skipped: this machine's clock is kept");
    return;
  }
  RealClock far, near;
  const auto last = [](const RealClock& clock, Millis ago) {
    return queue::BelievedTime{clock.boot_id(), clock.now() - ago, clock.wall() - ago};
  };
  near.go_on_from(last(near, hours(1)));
  CHECK(near.trusted());
  auto wrong = last(far, hours(1));
  wrong.wall -= days(1000);
  far.go_on_from(wrong);
  CHECK_FALSE(far.trusted());
}

}  // namespace tulpar
