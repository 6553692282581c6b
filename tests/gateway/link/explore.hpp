// SPDX-License-Identifier: Apache-2.0
//
// Every run of the link's protocol within small bounds: all orders of sending, delivering, committing, reading
// and connecting, with up to so many faults in each. Depth first; a state that was seen before is not entered
// again.
//
// In each state the rules of explore_rules.cpp are checked, and that it drains: without further faults
// everything is delivered in the end. A broken rule is reported with the shortest run that leads to it.
#pragma once

#include "tests/gateway/link/explore_world.hpp"

namespace tulpar::link::explore {

struct Found {
  std::string what;         // the rule that does not hold
  std::vector<Step> steps;  // that lead there
};

struct Report {
  std::uint64_t states = 0, transitions = 0;
  std::size_t deepest = 0;  // steps of the longest run
  std::optional<Found> found;
};

// `audit`: whenever a state is met again, what can follow must be the same as the first time: then the key of a
// state holds all that matters.
Report explore(const Scenario& scenario, bool audit = false);
// The shortest run that breaks a rule, of at most `longest` steps; ties are broken by the order of steps().
std::optional<Found> shortest(const Scenario& scenario, std::size_t longest);
// The run as lines for a reader.
std::string script(const Scenario& scenario, const Found& found);

}  // namespace tulpar::link::explore
