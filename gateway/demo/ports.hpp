// SPDX-License-Identifier: Apache-2.0
//
// Free TCP ports of this machine.
//
// Any thread. What is free now may be taken a moment later: whoever starts a server on such a port tries again.
#pragma once

#include <cstdint>
#include <string>

#include "config/address.hpp"

namespace tulpar::demo {

// A port of 127.0.0.1 that is free now; 0 where none is.
std::uint16_t free_port();

// Where a page that was asked for at `wanted` can be: there, or at a free port of the same host where that one
// is taken (or 0). An error where the host is none of this machine's, or the port is not ours to have.
Result<config::HostPort> free_address(const config::HostPort& wanted);

}  // namespace tulpar::demo
