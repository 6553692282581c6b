// SPDX-License-Identifier: Apache-2.0
//
// The configuration in effect, printed as TOML: every key with its value, defaults included.
//
// Pure functions, any thread. Secrets (passwords, channel keys) are printed as "********"; otherwise, loading
// the text gives an equal configuration.
#pragma once

#include <string>

#include "config/types.hpp"

namespace tulpar::config {

inline constexpr std::string_view kMasked = "********";

std::string dump(const Gateway& gateway);
std::string dump(const Relay& relay);

}  // namespace tulpar::config
