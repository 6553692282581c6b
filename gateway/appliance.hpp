// SPDX-License-Identifier: Apache-2.0
//
// The gateway, assembled: broker → classifier → store → scheduler → link, and the way back; the page beside it.
//
// One loop thread runs everything; the store has its own two. Throws std::runtime_error with words for the
// operator if it cannot start.
#pragma once

#include <string>

namespace tulpar {

// Runs until SIGTERM or SIGINT; SIGHUP reads the configuration again. The process's exit code.
int run_gateway(const std::string& config_file);

}  // namespace tulpar
