// SPDX-License-Identifier: Apache-2.0
//
// The internet end, assembled: links of all gateways → store → sinks, and what sources publish → store → the
// right link.
//
// One loop thread runs everything; the store has its own two. Throws std::runtime_error with words for the
// operator if it cannot start.
#pragma once

#include <string>

namespace tulpar {

// Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again. The process's exit code.
int run_relay(const std::string& config_file);

}  // namespace tulpar
