// SPDX-License-Identifier: Apache-2.0
//
// MQTT topics and topic filters: which are valid, which match, what stands in which level.
//
// Pure functions, any thread. The rules are MQTT 5.0, chapter 4.7 and 1.5.4. Where the standard leaves it to
// the receiver (control characters, Unicode non-characters) they are refused, because libmosquitto refuses them
// when such a topic is to be published again: it would be accepted here and stuck at the far end.
#pragma once

#include <optional>
#include <string_view>

namespace tulpar::bridge {

// A topic that may be published: 1..65,535 bytes of UTF-8 without wildcards.
bool valid_topic(std::string_view topic);

// A filter that may be subscribed: as a topic, but `+` may stand alone in any level and `#` alone in the last
// one.
bool valid_filter(std::string_view filter);

// True iff `topic` is selected by `filter`. REQUIRES: both valid. A leading wildcard selects no topic that
// begins with
// `$`; `a/#` selects `a` too.
bool topic_matches(std::string_view filter, std::string_view topic);

// Level `number` of the topic, 1 being the first; a level may be empty. Nothing if there are fewer (or number <
// 1).
std::optional<std::string_view> topic_level(std::string_view topic, int number);

}  // namespace tulpar::bridge
