// SPDX-License-Identifier: Apache-2.0
//
// What the tests of explore.hpp explore, and how far.
//
// TULPAR_EXPLORE=N allows N faults in each run (0 to 5); `full`: two, and three for three messages in two
// batches, some ten minutes in a release build. Prints `figure NAME VALUE` for each exploration.
#pragma once

#include <fmt/format.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/catch.hpp"
#include "tests/gateway/link/explore.hpp"

namespace tulpar::link::explore {

// Shrinks well, so that it enters the history and what comes after builds on it.
inline const std::string kText = "all is well, all is well, all is well, all is well, all is well, all is";
inline constexpr queue::ClassId kMessage = 1;
// Two messages of kText, and not three.
inline constexpr std::size_t kTwoMessages = 160;

inline Mail mail(const std::string& topic, queue::ClassId cls = kMessage, const std::string& text = kText) {
  return {cls, topic, Bytes(text.begin(), text.end())};
}

// Does not shrink, so that a batch of it takes several frames.
inline Mail large_mail(const std::string& topic) {
  std::string noise;
  for (std::uint32_t state = 1; noise.size() < 400;)
    noise.push_back(static_cast<char>((state = state * 1664525 + 1013904223) >> 24));
  return mail(topic, kMessage, noise);
}

inline Scenario three_messages() {
  return {.name = "three_messages",
          .gateway = {mail("m/1"), mail("m/2"), mail("m/3")},
          .relay = {},
          .early = 3,
          .batch = kTwoMessages,
          .faults = {Act::kBreak, Act::kCrash, Act::kRefuse},
          .most = 1};
}

// What is asked for, or else `usual`.
inline int most_faults(int usual, int full) {
  const char* asked = std::getenv("TULPAR_EXPLORE");
  if (!asked) return usual;
  return asked == std::string("full") ? full : std::atoi(asked);
}

inline void explore_all(Scenario scenario, int usual = 1, int full = 2) {
  scenario.most = most_faults(usual, full);
  const Report report = explore(scenario);
  std::cout << fmt::format("figure explore_{0}_faults {1}\nfigure explore_{0}_states {2}\n", scenario.name,
                           scenario.most, report.states)
            << fmt::format("figure explore_{0}_transitions {1}\nfigure explore_{0}_deepest {2}\n",
                           scenario.name, report.transitions, report.deepest);
  if (!report.found) return;
  const auto least = shortest(scenario, report.found->steps.size());
  FAIL(report.found->what << "\n" << script(scenario, least ? *least : *report.found));
}

}  // namespace tulpar::link::explore
