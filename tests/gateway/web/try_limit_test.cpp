// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/try_limit.hpp"

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {
const BootTime kStart{std::chrono::hours(5)};
}

TEST_CASE("five tries at once, then one each half minute") {
  TryLimit limit;
  for (int i = 0; i < 5; ++i) CHECK_FALSE(limit.charge("192.0.2.1", kStart));
  CHECK(limit.charge("192.0.2.1", kStart) == Millis(30'000));
  CHECK(limit.charge("192.0.2.1", kStart + Millis(29'999)) == Millis(1));
  CHECK_FALSE(limit.charge("192.0.2.1", kStart + Millis(30'000)));
  CHECK(limit.charge("192.0.2.1", kStart + Millis(30'000)) == Millis(30'000));
}

TEST_CASE("being refused costs nothing") {
  TryLimit limit;
  for (int i = 0; i < 5; ++i) limit.charge("a", kStart);
  for (int i = 0; i < 1000; ++i) limit.charge("a", kStart);
  CHECK_FALSE(limit.charge("a", kStart + Millis(30'000)));
}

TEST_CASE("after a pause all five are there again, and no more") {
  TryLimit limit;
  for (int i = 0; i < 5; ++i) limit.charge("a", kStart);
  const auto later = kStart + std::chrono::hours(24);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(limit.charge("a", later));
  CHECK(limit.charge("a", later));
}

TEST_CASE("all addresses together have a limit of their own") {
  TryLimit limit;
  int allowed = 0;
  for (int address = 0; address < 50; ++address) allowed += !limit.charge(std::to_string(address), kStart);
  CHECK(allowed == TryLimit::kTotalTries);
  CHECK(limit.charge("fresh", kStart) == TryLimit::kTotalRefill);
  CHECK_FALSE(limit.charge("fresh", kStart + TryLimit::kTotalRefill));
}

TEST_CASE("who was right may begin anew") {
  TryLimit limit;
  for (int i = 0; i < 5; ++i) limit.charge("a", kStart);
  limit.refund("a", kStart);
  CHECK_FALSE(limit.charge("a", kStart));
  TryLimit fresh;
  fresh.refund("b", kStart);
  int allowed = 0;
  for (int address = 0; address < 50; ++address) allowed += !fresh.charge(std::to_string(address), kStart);
  CHECK(allowed == TryLimit::kTotalTries);
}

TEST_CASE("an IPv6 caller is its /64, whatever it makes of the rest") {
  CHECK(caller_key("2001:db8:1:2::1") == caller_key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
  CHECK(caller_key("2001:db8:1:2::1") != caller_key("2001:db8:1:3::1"));
  CHECK(caller_key("fe80::1%eth0") == caller_key("fe80::2"));
  CHECK(caller_key("192.0.2.1") != caller_key("192.0.2.2"));
  CHECK(caller_key("::ffff:192.0.2.1") != caller_key("::ffff:192.0.2.2"));
}

TEST_CASE("many addresses fill no memory, and help nobody to forget") {
  TryLimit limit;
  auto now = kStart;
  for (int i = 0; i < 5; ++i) CHECK_FALSE(limit.charge("villain", now));
  // One address after another, as fast as the limit for all allows: they cannot drive the villain's debt out.
  for (int address = 0; address < 1000; ++address) {
    now += TryLimit::kTotalRefill;
    CHECK_FALSE(limit.charge("10.0." + std::to_string(address), now));
    if (now < kStart + Millis(25'000)) CHECK(limit.charge("villain", now));
  }
}
