// SPDX-License-Identifier: Apache-2.0
#include "bridge/emergency_limit.hpp"

#include <string>

#include "tests/catch.hpp"

using namespace tulpar;
using namespace std::chrono_literals;
using bridge::EmergencyLimit;

namespace {

// Also in the past of this boot: ages of messages make boot times negative.
constexpr BootTime kStart{-5min};

}  // namespace

TEST_CASE("emergency limit: three at once, then one in ten minutes") {
  EmergencyLimit limit;
  for (int i = 0; i < 3; ++i) CHECK(limit.allow("a", 0, kStart));
  CHECK_FALSE(limit.allow("a", 0, kStart));
  CHECK_FALSE(limit.allow("a", 0, kStart + 10min - 1ms));
  CHECK(limit.allow("a", 0, kStart + 10min));
  CHECK_FALSE(limit.allow("a", 0, kStart + 10min));
  CHECK(limit.allow("a", 0, kStart + 20min));
}

TEST_CASE("emergency limit: refused ones cost nothing") {
  EmergencyLimit limit;
  for (int i = 0; i < 3; ++i) limit.allow("a", 0, kStart);
  for (auto t = kStart; t < kStart + 10min; t += 1s) CHECK_FALSE(limit.allow("a", 0, t));
  CHECK(limit.allow("a", 0, kStart + 10min));
}

TEST_CASE("emergency limit: silence earns three again, never more") {
  EmergencyLimit limit;
  for (int i = 0; i < 3; ++i) limit.allow("a", 0, kStart);
  const auto later = kStart + 24h * 30;
  int allowed = 0;
  for (int i = 0; i < 10; ++i) allowed += limit.allow("a", 0, later);
  CHECK(allowed == 3);
}

TEST_CASE("emergency limit: over a day a shouting node gets three and one in ten minutes") {
  EmergencyLimit limit;
  int allowed = 0;
  for (auto t = kStart; t < kStart + 24h; t += 7s) allowed += limit.allow("a", 0, t);
  CHECK(allowed == 3 + 24 * 6 - 1);
}

TEST_CASE("emergency limit: nodes do not share an allowance") {
  EmergencyLimit limit;
  for (int i = 0; i < 4; ++i) limit.allow("a", 0, kStart);
  CHECK(limit.allow("b", 0, kStart));
  CHECK_FALSE(limit.allow("a", 0, kStart));
}

TEST_CASE("emergency limit: copies of one packet cost once and get one answer") {
  EmergencyLimit limit;
  for (int copy = 0; copy < 20; ++copy) CHECK(limit.allow("a", 1, kStart));
  CHECK(limit.allow("a", 2, kStart));
  CHECK(limit.allow("a", 3, kStart));
  CHECK_FALSE(limit.allow("a", 4, kStart));
  CHECK(limit.allow("a", 1, kStart));
  // The copy was judged when its packet was: with a fresh allowance too.
  CHECK_FALSE(limit.allow("a", 4, kStart + 10min));
  CHECK(limit.allow("a", 5, kStart + 10min));
}

TEST_CASE("emergency limit: the same packet number of another node is another packet") {
  EmergencyLimit limit;
  for (std::uint64_t id = 1; id <= 4; ++id) limit.allow("a", id, kStart);
  CHECK(limit.allow("b", 4, kStart));
}

TEST_CASE("emergency limit: invented nodes push out only the most idle") {
  EmergencyLimit limit(8);
  for (int i = 0; i < 3; ++i) limit.allow("busy", 0, kStart);
  for (int i = 0; i < 3; ++i) limit.allow("idle", 0, kStart);
  int allowed = 0;
  for (int i = 0; i < 100; ++i) {
    allowed += limit.allow("invented " + std::to_string(i), 0, kStart);
    CHECK_FALSE(limit.allow("busy", 0, kStart));
  }
  CHECK(allowed == 20 - 6);
  CHECK(limit.allow("idle", 0,
                    kStart + 1min));  // forgotten, so it begins anew: on the sender's side, never against it
}

TEST_CASE("emergency limit: time that stands still or steps back gives nothing away") {
  EmergencyLimit limit;
  for (int i = 0; i < 3; ++i) limit.allow("a", 0, kStart);
  CHECK_FALSE(limit.allow("a", 0, kStart - 1h));
  CHECK(limit.allow("a", 0, kStart + 10min));
}

TEST_CASE("emergency limit: nodes that nothing else was heard of share twenty at once, then one a minute") {
  EmergencyLimit limit;
  limit.heard("known");
  int invented = 0;
  const auto shout = [&](BootTime now) {
    return limit.allow("invented " + std::to_string(++invented), 0, now);
  };
  int allowed = 0;
  for (int i = 0; i < 1000; ++i) allowed += shout(kStart);
  CHECK(allowed == 20);
  for (auto t = kStart + 1s; t <= kStart + 1h; t += 1s) allowed += shout(t);
  CHECK(allowed == 20 + 60);
  // Whom they leave alone.
  for (int i = 0; i < 3; ++i) CHECK(limit.allow("known", 0, kStart + 1h));
  CHECK_FALSE(limit.allow("known", 0, kStart + 1h));
}

TEST_CASE("emergency limit: what a stranger is refused does not cost its own allowance, nor the reverse") {
  EmergencyLimit limit;
  for (int i = 0; i < 20; ++i) limit.allow("invented " + std::to_string(i), 0, kStart);
  CHECK_FALSE(limit.allow("late", 0, kStart));
  limit.heard("late");
  for (int i = 0; i < 3; ++i) CHECK(limit.allow("late", 0, kStart));
  EmergencyLimit other;
  for (int i = 0; i < 100; ++i) other.allow("shouting", 0, kStart);
  int allowed = 0;
  for (int i = 0; i < 100; ++i) allowed += other.allow("invented " + std::to_string(i), 0, kStart);
  CHECK(allowed == 17);
}
