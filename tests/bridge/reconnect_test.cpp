// SPDX-License-Identifier: Apache-2.0
#include "bridge/reconnect.hpp"

#include <set>

#include "tests/catch.hpp"

namespace tulpar::bridge {
namespace {

TEST_CASE("Backoff: the shortest draw waits the base, always", "[backoff]") {
  Backoff backoff([] { return 0.0; });
  for (int i = 0; i < 5; ++i) CHECK(backoff.next() == Millis{500});
}

TEST_CASE("Backoff: the longest draw triples the wait up to the cap", "[backoff]") {
  // Half a millisecond below 1: draws are from [0, 1).
  Backoff backoff([] { return 0.999999; });
  CHECK(backoff.next() == Millis{1499});
  CHECK(backoff.next() == Millis{4496});
  CHECK(backoff.next() == Millis{13487});
  CHECK(backoff.next() == Backoff::kCap);
  CHECK(backoff.next() == Backoff::kCap);
  backoff.reset();
  CHECK(backoff.next() == Millis{1499});
}

TEST_CASE("Backoff: a draw depends on the last wait, not on the number of tries", "[backoff]") {
  double draw = 0.5;
  Backoff backoff([&draw] { return draw; });
  CHECK(backoff.next() == Millis{1000});
  CHECK(backoff.next() == Millis{1750});
  draw = 0.0;
  CHECK(backoff.next() == Millis{500});
  draw = 0.5;
  CHECK(backoff.next() == Millis{1000});
}

TEST_CASE("Backoff: what the system seeds stays within bounds and spreads", "[backoff]") {
  Backoff backoff(random_uniform(), Millis{10}, Millis{1000});
  std::set<Millis> waits;
  for (int i = 0; i < 1000; ++i) {
    const Millis wait = backoff.next();
    REQUIRE(wait >= Millis{10});
    REQUIRE(wait <= Millis{1000});
    waits.insert(wait);
  }
  CHECK(waits.size() > 50);
}

}  // namespace
}  // namespace tulpar::bridge
