// SPDX-License-Identifier: Apache-2.0
#include "queue/plan.hpp"

#include <limits>
#include <random>

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::queue;
using config::ByteSize;
using config::OverQuota;
using std::chrono::days;
using std::chrono::hours;

namespace {

constexpr ClassId kMessage = 1, kNormal = 2, kTelemetry = 3, kBulk = 4;
constexpr WallTime kBegin{days{20'454}};  // 2026-01-01 00:00 UTC
constexpr CycleBounds kMonth{kBegin, kBegin + days{30}};

// 31 MB, 1 MB of it for emergency: an even pace is 1 MB a day.
config::Plan plan() {
  return {.included = 31'000'000,
          .price = 5'000'000'000,
          .hard_cap = 31'000'000,
          .reserve = 1'000'000,
          .cycle = {}};
}

// Nothing used so far, on the day `day` (counted from 0), at noon.
PlanUse on_day(int day) {
  return {.cycle = kMonth, .now = kBegin + days{day} + hours{12}, .classes = std::vector<ClassUse>(5)};
}

void use(PlanUse& all, ClassId cls, ByteSize before, ByteSize today) {
  all.used += before + today;
  all.used_today += today;
  all.classes[cls].cycle += before + today;
  all.classes[cls].today += today;
}

PlanStatus status(const PlanUse& use, const config::Plan& with = plan()) {
  return PlanMeter(with, config::default_classes()).status(use);
}

// The classes that may send.
std::vector<int> open(const PlanStatus& status) {
  std::vector<int> result;
  for (std::size_t i = 0; i < status.classes.size(); ++i)
    if (status.classes[i].open) result.push_back(static_cast<int>(i));
  return result;
}

using Open = std::vector<int>;

}  // namespace

TEST_CASE("plan: figures of an untouched cycle") {
  const auto s = status(on_day(0));
  CHECK(s.used == 0);
  CHECK(s.included == 31'000'000);
  CHECK(s.percent == 0);
  CHECK(s.cost == 0);
  CHECK(*s.left == 30'000'000);
  CHECK(*s.daily_allowance == 1'000'000);
  CHECK(s.reserve_left == 1'000'000);
  CHECK(s.resets_at == kMonth.end);
  CHECK(s.state == PlanState::kGreen);
  CHECK(open(s) == Open{0, 1, 2, 3});  // nothing is left over yet
}

TEST_CASE("plan: today's allowance is what was left this morning by the days left") {
  auto u = on_day(10);
  use(u, kNormal, 20'000'000, 300'000);
  auto s = status(u);
  CHECK(*s.daily_allowance == 500'000);
  CHECK(s.used_of_allowance == 300'000);

  SECTION("a day that used little lends to all that follow") {
    u = on_day(10);
    use(u, kNormal, 4'000'000, 0);
    CHECK(*status(u).daily_allowance == 1'300'000);
  }
  SECTION("on the last day it is all that is left") {
    u = on_day(29);
    use(u, kNormal, 20'000'000, 300'000);
    CHECK(*status(u).daily_allowance == 10'000'000);
  }
}

TEST_CASE(
    "plan: slowed first stops at four fifths of today's allowance, paced half a day ahead of the even pace") {
  auto u = on_day(0);
  use(u, kNormal, 0, 799'999);
  CHECK(open(status(u)) == Open{0, 1, 2, 3});
  use(u, kNormal, 0, 1);
  CHECK(open(status(u)) == Open{0, 1, 2});
  CHECK(status(u).state == PlanState::kGreen);
  use(u, kNormal, 0, 199'999);
  CHECK(status(u).state == PlanState::kGreen);
  use(u, kNormal, 0, 1);
  CHECK(status(u).state == PlanState::kYellow);
  use(u, kNormal, 0, 499'999);
  CHECK(open(status(u)) == Open{0, 1, 2});
  use(u, kNormal, 0, 1);
  const auto s = status(u);
  CHECK(open(s) == Open{0, 1});
  CHECK(s.classes[kMessage].hold_reason.empty());
  CHECK_FALSE(s.classes[kMessage].until);
  CHECK(*s.classes[kNormal].until == kBegin + days{1});
  CHECK(s.classes[kNormal].hold_reason ==
        "held until 2026-01-02 00:00 UTC: today's allowance of 1.0 MB is used up, "
        "and all that may be borrowed of tomorrow's");
  CHECK(s.classes[kTelemetry].hold_reason ==
        "held until 2026-01-02 00:00 UTC: 80 % of today's allowance of 1.0 MB is used up, "
        "the rest is for what is more urgent");
  CHECK(s.classes[kBulk].hold_reason ==
        "held until 2026-01-02 00:00 UTC: the days before today left nothing over");

  u.now = kBegin + days{1};  // the next morning, with the same use, none of it today
  u.used_today = 0;
  u.classes[kNormal].today = 0;
  CHECK(open(status(u)) == Open{0, 1, 2, 3});
}

TEST_CASE("plan: paced borrows against the sum of all days, so that each busy day has the same") {
  auto u = on_day(1);
  use(u, kNormal, 1'500'000, 999'999);  // the day before had borrowed half a day
  CHECK(*status(u).daily_allowance == 28'500'000 / 29);
  CHECK(status(u).classes[kNormal].open);
  use(u, kNormal, 0, 1);
  CHECK_FALSE(status(u).classes[kNormal].open);
}

TEST_CASE("plan: paced may use at once what quiet days have saved") {
  auto u = on_day(10);
  use(u, kNormal, 4'000'000, 7'499'999);
  CHECK(status(u).classes[kNormal].open);
  use(u, kNormal, 0, 1);
  CHECK_FALSE(status(u).classes[kNormal].open);
}

TEST_CASE("plan: paced has its allowance even where the cycle is far ahead of the even pace") {
  auto u = on_day(10);
  use(u, kMessage, 20'000'000, 0);
  use(u, kNormal, 0, 499'999);
  CHECK(open(status(u)) == Open{0, 1, 2});
  use(u, kNormal, 0, 1);
  CHECK(open(status(u)) == Open{0, 1});
}

TEST_CASE("plan: on the last day all that is left may go") {
  auto u = on_day(29);
  use(u, kNormal, 29'000'000, 999'999);
  CHECK(open(status(u)) == Open{0, 1, 2});
  CHECK(*status(u).classes[kTelemetry].until == kMonth.end);
  use(u, kNormal, 0, 1);
  CHECK(open(status(u)) == Open{0});
}

TEST_CASE("plan: to the end goes to the last byte but the reserve; then only emergency") {
  auto u = on_day(3);
  use(u, kMessage, 20'000'000, 9'999'999);
  CHECK(open(status(u)) == Open{0, 1});
  CHECK(*status(u).left == 1);
  use(u, kMessage, 0, 1);
  auto s = status(u);
  CHECK(open(s) == Open{0});
  CHECK(s.state == PlanState::kRed);
  CHECK(*s.left == 0);
  CHECK(*s.classes[kMessage].until == kMonth.end);
  CHECK(s.classes[kMessage].hold_reason ==
        "held until 2026-01-31 00:00 UTC: the cycle's 30.0 MB is used up (1.0 MB more is kept for emergency)");

  use(u, kEmergency, 0, 5'000'000);
  s = status(u);
  CHECK(open(s) == Open{0});
  CHECK(s.reserve_left == 0);
}

TEST_CASE("plan: emergency uses its reserve before it takes from the rest") {
  auto u = on_day(0);
  use(u, kEmergency, 0, 400'000);
  auto s = status(u);
  CHECK(*s.left == 30'000'000);
  CHECK(s.reserve_left == 600'000);
  CHECK(s.used_of_allowance == 0);
  use(u, kEmergency, 0, 3'600'000);
  s = status(u);
  CHECK(*s.left == 27'000'000);
  CHECK(s.reserve_left == 0);
  CHECK(*s.daily_allowance == 900'000);
}

TEST_CASE("plan: left over takes what the days before left unused, and nothing of today's allowance") {
  auto u = on_day(10);
  use(u, kNormal, 9'500'000, 400'000);
  CHECK(open(status(u)) == Open{0, 1, 2, 3, 4});
  CHECK(status(u).used_of_allowance == 400'000);

  use(u, kBulk, 0, 99'999);
  CHECK(open(status(u)) == Open{0, 1, 2, 3, 4});
  use(u, kBulk, 0, 1);
  CHECK(open(status(u)) == Open{0, 1, 2, 3});
  CHECK(status(u).used_of_allowance == 400'000);
  CHECK(status(u).state == PlanState::kGreen);
}

TEST_CASE("plan: `always` is for emergency; another class that has it stops at the reserve too") {
  auto classes = config::default_classes();
  classes[kBulk].over_quota = OverQuota::kAlways;
  classes[kEmergency].over_quota = OverQuota::kLeftOver;  // emergency is the first class, whatever it says
  auto u = on_day(0);
  use(u, kMessage, 0, 29'999'999);
  CHECK(open(PlanMeter(plan(), classes).status(u)) == Open{0, 1, 4});
  use(u, kMessage, 0, 1);
  CHECK(open(PlanMeter(plan(), classes).status(u)) == Open{0});
}

TEST_CASE("plan: bytes that no class caused count") {
  auto u = on_day(0);
  u.used = u.used_today = 1'500'000;
  CHECK(open(status(u)) == Open{0, 1});
  CHECK(*status(u).left == 28'500'000);
}

TEST_CASE("plan: with an untrusted clock the last day goes on, without borrowing and without an end") {
  auto u = on_day(5);
  u.clock_trusted = false;
  use(u, kNormal, 5'000'000, 999'999);
  CHECK(open(status(u)) == Open{0, 1, 2});
  use(u, kNormal, 0, 1);
  const auto s = status(u);
  CHECK(open(s) == Open{0, 1});
  CHECK_FALSE(s.classes[kNormal].until);
  CHECK(s.classes[kNormal].hold_reason ==
        "held until the time is known: today's allowance of 1.0 MB is used up");
}

TEST_CASE("plan: a time outside the cycle counts as its first or last day") {
  auto u = on_day(0);
  u.now = kBegin - days{9000};
  CHECK(*status(u).daily_allowance == 1'000'000);
  CHECK(day_begin(kMonth, u.now) == kBegin);
  u.now = kMonth.end + days{9000};
  CHECK(*status(u).daily_allowance == 30'000'000);
  CHECK(day_begin(kMonth, u.now) == kBegin + days{29});
}

TEST_CASE("plan: days are 24 hours, the last one takes what daylight saving adds or takes") {
  const CycleBounds spring{kBegin, kBegin + days{31} - hours{1}};
  CHECK(day_begin(spring, spring.end - Millis{1}) == kBegin + days{30});
  const CycleBounds autumn{kBegin, kBegin + days{31} + hours{1}};
  CHECK(day_begin(autumn, autumn.end - Millis{1}) == kBegin + days{30});
  CHECK(day_begin(autumn, kBegin + days{1} - Millis{1}) == kBegin);
  CHECK(day_begin(autumn, kBegin + days{1}) == kBegin + days{1});
}

TEST_CASE("plan: what lies beyond the included volume costs its price, rounded up to a billionth") {
  auto p = plan();
  p.hard_cap.reset();
  auto u = on_day(0);
  u.used = p.included;
  CHECK(status(u, p).cost == 0);
  u.used = p.included + 1;
  CHECK(status(u, p).cost == 5'000);
  u.used = p.included + 2'500'000;
  CHECK(status(u, p).cost == 12'500'000'000);
  p.per = 3;
  p.price = 1;
  u.used = p.included + 4;
  CHECK(status(u, p).cost == 2);
  p.price = std::numeric_limits<config::Money>::max();
  CHECK(status(u, p).cost == std::numeric_limits<config::Money>::max());
}

TEST_CASE("plan: without a hard cap nothing is held, but the operator is warned") {
  auto p = plan();
  p.hard_cap.reset();
  auto u = on_day(0);
  use(u, kBulk, 0, 24'799'999);
  auto s = status(u, p);
  CHECK(open(s) == Open{0, 1, 2, 3, 4});
  CHECK(s.state == PlanState::kGreen);
  CHECK_FALSE(s.left);
  CHECK_FALSE(s.daily_allowance);
  use(u, kBulk, 0, 1);
  CHECK(status(u, p).state == PlanState::kOrange);
}

TEST_CASE("plan: with nothing included the cap is the volume") {
  config::Plan p{.included = 0, .price = 1'000, .per = 1, .hard_cap = 10'000, .reserve = 1'000, .cycle = {}};
  auto u = on_day(0);
  use(u, kMessage, 0, 4'500);
  const auto s = status(u, p);
  CHECK(s.percent == 45);
  CHECK(*s.left == 4'500);
  CHECK(s.cost == 4'500'000);
  CHECK(open(s) == Open{0, 1});
}

TEST_CASE("plan: degenerate volumes hold everything but emergency, and crash nothing") {
  for (const ByteSize cap : {ByteSize{0}, ByteSize{500'000}, ByteSize{1'000'000}}) {
    auto p = plan();
    p.hard_cap = cap;
    CHECK(open(status(on_day(0), p)) == Open{0});
    CHECK(status(on_day(0), p).state == PlanState::kRed);
  }
  auto p = plan();
  p.included = 0;
  p.hard_cap.reset();
  CHECK(status(on_day(0), p).percent == 0);
  CHECK(open(status(on_day(0), p)) == Open{0, 1, 2, 3, 4});
  PlanUse nothing{.cycle = kMonth, .now = kBegin, .classes = {}};
  CHECK(open(status(nothing)) == Open{0, 1, 2, 3});
}

TEST_CASE("plan property: whatever is sent while it may, the reserve stays untouched and the days add up") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    auto u = on_day(0);
    const PlanMeter meter(plan(), config::default_classes());
    for (int day = 0; day < 30; ++day) {
      u.now = kBegin + days{day};
      u.used_today = 0;
      for (auto& cls : u.classes) cls.today = 0;
      // Everybody always has something, 20 kB at most; nobody goes to the end.
      for (int i = 0; i < 600; ++i) {
        const auto cls = static_cast<ClassId>(kNormal + random() % 3);
        if (meter.status(u).classes[cls].open) use(u, cls, 0, 1 + random() % 20'000);
      }
      // The even pace and half a day ahead of it, to a message; never less where so much is there to send.
      const ByteSize ahead = static_cast<ByteSize>(day + 1) * 1'000'000 + 500'000;
      REQUIRE(u.used <= ahead + 20'000);
      REQUIRE(u.used >= std::min<ByteSize>(ahead, 30'000'000));
      REQUIRE(meter.status(u).classes[kMessage].open == (u.used < 30'000'000));
    }
    REQUIRE(u.used <= 30'020'000);
  }
}
