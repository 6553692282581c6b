// SPDX-License-Identifier: Apache-2.0
//
// `tulpar demo`: a simulated mesh over two equal emulated satellite links, Tulpar on one and a plain MQTT
// bridge on the other, side by side in the terminal. Start here: demo/show.hpp.
//
// Runs on the calling thread until q, Ctrl-C or SIGTERM; leaves no process, no file, and the terminal as it
// was.
#pragma once

#include "gateway/demo/options.hpp"

namespace tulpar::demo {

// The process's exit code; prints its own errors, bad options (options.hpp) among them.
int run_demo(const DemoOptions& options);

}  // namespace tulpar::demo
