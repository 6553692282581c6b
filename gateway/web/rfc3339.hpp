// SPDX-License-Identifier: Apache-2.0
//
// Instants as the API writes and reads them.
//
// Pure functions; any thread. Years 1970 to 9999; what lies outside is clamped when written, refused when read.
#pragma once

#include <string>
#include <string_view>

#include "config/base.hpp"

namespace tulpar::web {

// "2026-11-22T10:00:00Z"; with ".250" where it is not a whole second.
std::string format_time(WallTime at);

// RFC 3339 ("2026-11-22T10:00:00Z", "2026-11-22T15:00:00.5+05:00"), a day of UTC ("2026-11-22"), or whole
// seconds since 1970. Digits beyond milliseconds are cut. The error says what is allowed.
Result<WallTime> parse_time(std::string_view text);

}  // namespace tulpar::web
