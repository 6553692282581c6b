// SPDX-License-Identifier: Apache-2.0
//
// Random steps on a store beside its model; a run that differs is told as the few steps that are enough.
//
// The seeds can be chosen (tests/seeds.hpp). Prints `figure NAME VALUE`.
#include <fmt/format.h>

#include <iostream>
#include <random>

#include "tests/catch.hpp"
#include "tests/queue/store_machine.hpp"
#include "tests/seeds.hpp"
#include "tests/shrink.hpp"

namespace tulpar::queue {
namespace {

using Mistake = StoreModel::Mistake;

constexpr std::uint32_t kSteps = 150;

std::vector<StoreStep> random_steps(std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<StoreStep> steps(kSteps);
  const auto below = [&](unsigned bound) { return static_cast<unsigned>(random() % bound); };
  for (auto& step : steps) {
    // Much is accepted and received, so that the others find something; the lives are long enough to fill.
    const unsigned dice = below(20);
    step.kind =
        dice < 5   ? StoreStep::kAccept
        : dice < 9 ? StoreStep::kReceive
        : dice < 18
            ? static_cast<StoreStep::Kind>(below(StoreStep::kFail))
            : static_cast<StoreStep::Kind>(StoreStep::kFail + below(StoreStep::kKinds - StoreStep::kFail));
    step.a = below(50);
    step.b = below(50);
    step.c = below(50);
  }
  return steps;
}

std::vector<StoreStep> simpler(const StoreStep& step) {
  std::vector<StoreStep> steps;
  for (const auto a : smaller(step.a)) steps.push_back({step.kind, a, step.b, step.c});
  for (const auto b : smaller(step.b)) steps.push_back({step.kind, step.a, b, step.c});
  for (const auto c : smaller(step.c)) steps.push_back({step.kind, step.a, step.b, c});
  return steps;
}

std::optional<std::string> difference(std::uint32_t seed, Mistake mistake) {
  const auto fails = [&](const std::vector<StoreStep>& steps) -> std::optional<std::string> {
    StoreMachine machine(mistake);
    try {
      for (const auto& step : steps) machine.take(step);
    } catch (const std::exception& error) {
      return error.what();
    }
    return std::nullopt;
  };
  return failure_of(seed, random_steps, fails, simpler, [](const StoreStep& step) { return words(step); });
}

}  // namespace

TEST_CASE("A store agrees with a model under random operations, failures, crashes, backups and clones") {
  const auto [first, count] = asked_seeds(1, 12);
  for (std::uint32_t seed = first; seed < first + count; ++seed)
    if (const auto found = difference(seed, Mistake::kNone)) FAIL(*found);
  std::cout << fmt::format("figure store_model_seeds {}\nfigure store_model_steps {}\n", count, count * kSteps);
}

TEST_CASE("A store that makes a mistake is found out, and told in a few steps") {
  const auto mistake = GENERATE(Mistake::kCopiesAreNews, Mistake::kForgetsSettled, Mistake::kFinishesTwice,
                                Mistake::kReceivesTwice, Mistake::kKeepsVoided, Mistake::kOldSettlesReturn);
  std::optional<std::string> found;
  for (std::uint32_t seed = 1; seed <= 20 && !found; ++seed) found = difference(seed, mistake);
  REQUIRE(found);
  INFO(*found);
  CHECK(std::count(found->begin(), found->end(), '\n') <= 4);
}

}  // namespace tulpar::queue
