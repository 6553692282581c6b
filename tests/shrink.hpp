// SPDX-License-Identifier: Apache-2.0
//
// From a long random run that fails to a short one that still fails: for tests whose runs are vectors of steps.
//
// Delta debugging (Zeller and Hildebrandt, 2002): parts of the run are left out, then single steps, then what
// is left is made simpler, until nothing more can go. A step must mean something whatever came before it, so
// that the rest of a run can still be taken when some of it is gone. All is deterministic: the same seed gives
// the same short run.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tulpar {

template <class Step>
struct Shrunk {
  std::vector<Step> steps;
  std::string why;  // it fails
  int tries = 0;    // runs that this took
};

// Smaller numbers to try in the place of `number`, boldest first.
template <class Number>
std::vector<Number> smaller(Number number) {
  std::vector<Number> numbers;
  if (number > 0) numbers.push_back(0);
  if (number > 3) numbers.push_back(static_cast<Number>(number / 2));
  if (number > 1) numbers.push_back(static_cast<Number>(number - 1));
  return numbers;
}

// `fails`: what is wrong after a run of these steps, if anything; `simpler`: steps to try in the place of one,
// each nearer to the simplest. REQUIRES: the run fails. After `most_tries` runs the shortest so far is
// returned.
template <class Step, class Fails, class Simpler>
Shrunk<Step> shrink(std::vector<Step> run, Fails fails, Simpler simpler, int most_tries = 2000) {
  Shrunk<Step> best{run, fails(run).value(), 1};
  const auto better = [&](std::vector<Step> steps) {
    if (best.tries >= most_tries) return false;
    ++best.tries;
    auto why = fails(steps);
    if (!why) return false;
    best.steps = std::move(steps);
    best.why = std::move(*why);
    return true;
  };
  // From the end, where the steps are that come after the failure.
  const auto leave_out = [&](std::size_t count) {
    bool shorter = false;
    for (std::size_t end = best.steps.size(); end > 0;
         end = std::min(end - std::min(end, count), best.steps.size())) {
      auto steps = best.steps;
      const std::size_t first = end - std::min(end, count);
      steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(first),
                  steps.begin() + static_cast<std::ptrdiff_t>(end));
      shorter = better(std::move(steps)) || shorter;
    }
    return shorter;
  };
  const auto simplify = [&](std::size_t at) {
    for (const Step& step : simpler(best.steps[at])) {
      auto steps = best.steps;
      steps[at] = step;
      if (better(std::move(steps))) return true;
    }
    return false;
  };
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t count = best.steps.size(); count > 0; count /= 2) changed = leave_out(count) || changed;
    for (std::size_t at = 0; at < best.steps.size(); ++at)
      while (simplify(at)) changed = true;
  }
  return best;
}

// Runs what `make(seed)` gives. Nothing: it does not fail. Else what to tell a person: why, the seed, and the
// short run, one line of `words(step)` each.
template <class Make, class Fails, class Simpler, class Words>
std::optional<std::string> failure_of(std::uint32_t seed, Make make, Fails fails, Simpler simpler,
                                      Words words) {
  auto run = make(seed);
  if (!fails(run)) return std::nullopt;
  const std::size_t before = run.size();
  const auto shrunk = shrink(std::move(run), fails, simpler);
  std::string text = "seed " + std::to_string(seed) + ", " + std::to_string(before) + " steps, " +
                     std::to_string(shrunk.steps.size()) + " of them are enough: " + shrunk.why + "\n";
  int line = 0;
  for (const auto& step : shrunk.steps) text += "  " + std::to_string(++line) + ". " + words(step) + "\n";
  return text;
}

}  // namespace tulpar
