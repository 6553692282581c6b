// SPDX-License-Identifier: Apache-2.0
//
// Text as a TOML file writes it, and bytes as text.
//
// Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

#include "config/base.hpp"

namespace tulpar::config {

// As a TOML basic string, quotes included. Control characters are escaped, C1 too: terminals obey them.
std::string quote(std::string_view text);
// The same, cut after about 60 bytes: for messages.
std::string quote_short(std::string_view text);
// Control characters escaped, cut after about 200 bytes: for what others' code says of a text.
std::string printable(std::string_view text);
// True iff the text holds a control character (C0, DEL, C1 in UTF-8).
bool has_control(std::string_view text);

// Standard base64 with its padding (RFC 4648, 4); unused bits must be zero, so each value has one spelling.
Result<Bytes> parse_base64(std::string_view text);
std::string format_base64(ByteView bytes);

}  // namespace tulpar::config
