// SPDX-License-Identifier: Apache-2.0
//
// The demo in plain text: a line now and then where there is no screen, and what remains in the terminal at the
// end.
//
// Pure; any thread.
#pragma once

#include <string>

#include "gateway/demo/state.hpp"

namespace tulpar::demo {

// One line for logs, pipes and dumb terminals.
std::string summary(const DemoState& state);

// A small table of both lanes, each line ended by '\n'.
std::string closing(const DemoState& state);

}  // namespace tulpar::demo
