// SPDX-License-Identifier: Apache-2.0
#include "queue/number_set.hpp"

#include <random>
#include <set>

#include "tests/catch.hpp"

namespace tulpar::queue {

TEST_CASE("A new number set holds everything below its low-water mark") {
  const NumberSet set(5);
  CHECK(set.contains(0));
  CHECK(set.contains(4));
  CHECK_FALSE(set.contains(5));
  CHECK(set.low() == 5);
  CHECK(set.end() == 5);
}

TEST_CASE("Intervals of a number set join each other and the low-water mark") {
  NumberSet set;
  CHECK(set.add(5, 2));
  CHECK(set.add(9));
  CHECK(set.runs().size() == 2);
  CHECK(set.add(7, 2));
  CHECK(set.runs() == std::map<std::uint64_t, std::uint64_t>{{5, 10}});
  CHECK_FALSE(set.add(6, 3));
  CHECK(set.add(1, 4));
  CHECK(set.low() == 10);
  CHECK(set.runs().empty());
}

TEST_CASE("Adding nothing or what is below the low-water mark changes nothing") {
  NumberSet set(10);
  CHECK_FALSE(set.add(20, 0));
  CHECK_FALSE(set.add(3, 7));
  CHECK(set.add(3, 8));
  CHECK(set.low() == 11);
}

TEST_CASE("Raising the low-water mark cuts the intervals and joins the next one") {
  NumberSet set;
  set.add(5, 3);
  set.add(10, 5);
  set.raise(6);
  CHECK(set.low() == 8);
  set.raise(12);
  CHECK(set.low() == 15);
  CHECK(set.runs().empty());
  set.raise(3);
  CHECK(set.low() == 15);
}

TEST_CASE("A number set agrees with a plain set whatever is done to it") {
  for (unsigned seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    NumberSet set;
    std::set<std::uint64_t> model{0};
    for (int step = 0; step < 200; ++step) {
      const std::uint64_t first = 1 + random() % 120, count = random() % 6;
      if (random() % 12 == 0) {
        set.raise(first / 4);
        for (std::uint64_t n = 0; n < first / 4; ++n) model.insert(n);
      } else {
        const auto before = model.size();
        for (std::uint64_t n = first; n < first + count; ++n) model.insert(n);
        REQUIRE(set.add(first, count) == (model.size() > before));
      }
      std::uint64_t end = set.low();
      for (const auto& [from, to] : set.runs()) {
        REQUIRE((from > end && to > from));
        end = to;
      }
      for (std::uint64_t n = 0; n < 130; ++n) REQUIRE(set.contains(n) == model.contains(n));
    }
  }
}

TEST_CASE("A copy that follows what a number set touched is the same") {
  std::mt19937 random(7);
  NumberSet set;
  std::map<std::uint64_t, std::uint64_t> copy;
  std::size_t most = 0;
  for (int step = 0; step < 4000; ++step) {
    NumberSet::Touched touched;
    if (random() % 20 == 0)
      set.raise(set.low() + random() % 30, &touched);
    else
      set.add(set.low() + random() % 300, random() % 4, &touched);
    for (const auto first : touched) {
      if (const auto run = set.runs().find(first); run != set.runs().end())
        copy[first] = run->second;
      else
        copy.erase(first);
    }
    REQUIRE(copy == set.runs());
    most = std::max(most, copy.size());
  }
  CHECK(most > 20);
}

}  // namespace tulpar::queue
