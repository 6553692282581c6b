// SPDX-License-Identifier: Apache-2.0
//
// What the demo shows in the terminal: two columns, Tulpar and the plain bridge, over the same link at the same
// time.
//
// Pure: a state goes in, text comes out; any thread. Needs UTF-8 and, with colour, a 16-colour ANSI terminal.
#pragma once

#include <string>

#include "gateway/demo/state.hpp"

namespace tulpar::demo {

// At most `height` lines of exactly `width` columns, divided by '\n'. From 60 x 15 on it shows all that
// matters.
std::string render(const DemoState& state, std::size_t width, std::size_t height, bool colour);

// What a terminal must be sent to show `text` in place of `before`, without flicker and with few bytes: over a
// thin line, too, somebody may watch. An empty `before`: whatever was there.
std::string repaint(const std::string& text, const std::string& before);

}  // namespace tulpar::demo
