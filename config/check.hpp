// SPDX-License-Identifier: Apache-2.0
//
// What a text in the configuration may look like; each check returns nothing, or what is wrong and what is
// allowed.
//
// Pure functions, any thread (check_zone reads the system's time zone database on first use).
#pragma once

#include <string_view>

#include "config/base.hpp"

namespace tulpar::config {

using TextCheck = Result<void> (*)(std::string_view text);

// The same check, where "" says "none".
template <TextCheck check>
Result<void> or_empty(std::string_view text) {
  return text.empty() ? Result<void>{} : check(text);
}

// Letters, digits, `-`, `_` and `.`; 1 to 63; not "." or "..": a name may become a topic level or a file's
// name.
Result<void> check_name(std::string_view text);
// A host without a port (address.hpp).
Result<void> check_host(std::string_view text);
// HOST:PORT (address.hpp).
Result<void> check_listen(std::string_view text);
// The same with an address instead of a name: what gateways are told to reach must not move with a resolver.
Result<void> check_listen_address(std::string_view text);
// An absolute path.
Result<void> check_absolute(std::string_view text);
// An MQTT topic filter (MQTT 5.0, 4.7): 1 to 65535 bytes, `+` and `#` alone in their levels, `#` last.
Result<void> check_filter(std::string_view text);
// Whether any topic is selected by both. REQUIRES: both pass check_filter.
bool filters_overlap(std::string_view a, std::string_view b);
// The beginning of a topic: no wildcards, no other placeholder than {gateway}. May be empty.
Result<void> check_prefix(std::string_view text);
// The same, where {gateway} must be one whole level and `/` the end: it is subscribed with `+` in that place.
Result<void> check_source_prefix(std::string_view text);
// A Meshtastic channel: 1 to 11 bytes (the firmware's field holds 12 with the closing zero), one topic level.
Result<void> check_channel_name(std::string_view text);
// A Meshtastic node: "!" and 8 hexadecimal digits.
Result<void> check_node_id(std::string_view text);
// A currency, three capital letters (ISO 4217).
Result<void> check_currency(std::string_view text);
// An IANA time zone that this system knows; "UTC" is always known.
Result<void> check_zone(std::string_view text);

}  // namespace tulpar::config
