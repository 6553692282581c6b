// SPDX-License-Identifier: Apache-2.0
#include "tests/shrink.hpp"

#include <algorithm>
#include <numeric>

#include "tests/catch.hpp"

namespace tulpar {
namespace {

using Steps = std::vector<int>;

std::vector<int> no_simpler(int) { return {}; }

std::optional<std::string> fails_if(bool wrong) {
  return wrong ? std::optional<std::string>("wrong") : std::nullopt;
}

Steps up_to(int count) {
  Steps steps(static_cast<std::size_t>(count));
  std::iota(steps.begin(), steps.end(), 1);
  return steps;
}

bool holds(const Steps& steps, int step) { return std::count(steps.begin(), steps.end(), step) > 0; }

}  // namespace

TEST_CASE("Shrinking leaves the steps that a failure needs, in their order") {
  const auto fails = [](const Steps& steps) {
    return fails_if(holds(steps, 3) && holds(steps, 77) && holds(steps, 50));
  };
  const auto shrunk = shrink(up_to(100), fails, no_simpler);
  CHECK(shrunk.steps == Steps{3, 50, 77});
  CHECK(shrunk.why == "wrong");
  CHECK(shrunk.tries < 100);
}

TEST_CASE("Shrinking finds that nothing at all is needed, or all of it") {
  CHECK(shrink(
            up_to(20), [](const Steps&) { return fails_if(true); }, no_simpler)
            .steps.empty());
  CHECK(shrink(
            up_to(20), [](const Steps& steps) { return fails_if(steps.size() == 20); }, no_simpler)
            .steps == up_to(20));
  CHECK(shrink(
            Steps{}, [](const Steps&) { return fails_if(true); }, no_simpler)
            .steps.empty());
}

TEST_CASE("Steps that can only go together go together") {
  // Each odd step needs the even one behind it.
  const auto fails = [](const Steps& steps) {
    for (std::size_t i = 0; i < steps.size(); i += 2)
      if (i + 1 == steps.size() || steps[i] % 2 == 0 || steps[i + 1] != steps[i] + 1) return fails_if(false);
    return fails_if(holds(steps, 31));
  };
  CHECK(shrink(up_to(64), fails, no_simpler).steps == Steps{31, 32});
}

TEST_CASE("What is left is made simpler, and may then be shorter still") {
  const auto fails = [](const Steps& steps) {
    return fails_if(std::accumulate(steps.begin(), steps.end(), 0) >= 10 &&
                    std::any_of(steps.begin(), steps.end(), [](int step) { return step >= 5; }));
  };
  const auto shrunk = shrink(Steps{900, 2, 7, 40}, fails, [](int step) { return smaller(step); });
  CHECK(shrunk.steps == Steps{10});
}

TEST_CASE("Shrinking ends after so many runs with what it has") {
  int runs = 0;
  const auto fails = [&](const Steps& steps) { return ++runs, fails_if(steps.size() >= 50); };
  const auto shrunk = shrink(up_to(1000), fails, no_simpler, 10);
  CHECK(runs == 10);
  CHECK(shrunk.tries == 10);
  CHECK(shrunk.steps.size() >= 50);
  CHECK(shrunk.steps.size() < 1000);
}

TEST_CASE("Smaller numbers come boldest first and end at zero") {
  CHECK(smaller(0).empty());
  CHECK(smaller(1) == Steps{0});
  CHECK(smaller(2) == Steps{0, 1});
  CHECK(smaller(100) == Steps{0, 50, 99});
}

TEST_CASE("A failure is told with its seed and the short run; what does not fail is not told") {
  const auto make = [](std::uint32_t seed) { return up_to(static_cast<int>(seed)); };
  const auto fails = [](const Steps& steps) { return fails_if(holds(steps, 9)); };
  const auto words = [](int step) { return "step " + std::to_string(step); };
  CHECK_FALSE(failure_of(8, make, fails, no_simpler, words));
  CHECK(failure_of(30, make, fails, no_simpler, words) ==
        "seed 30, 30 steps, 1 of them are enough: wrong\n  1. step 9\n");
}

}  // namespace tulpar
