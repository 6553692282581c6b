// SPDX-License-Identifier: Apache-2.0
//
// What a message becomes at a broker: its topic there, its stable id, its size, and what the broker's answer
// means.
//
// Pure functions, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "config/base.hpp"
#include "queue/store_reader.hpp"

namespace tulpar::bridge {

// The user property that marks a publication as some Tulpar's own. Whoever subscribes there leaves it alone.
inline constexpr const char* kTulparId = "tulpar-id";

// `prefix` with {gateway} replaced by `gateway`, then `topic`. Error: why nobody may publish there (not a
// topic, begins with `$`).
Result<std::string> outgoing_topic(std::string_view prefix, std::string_view gateway, std::string_view topic);

// The same on every try: the incarnation in 16 hexadecimal digits, `-`, the message's number in it. For what
// was accepted here and came over no link: sixteen zeros, `-`, its id in this store.
std::string tulpar_id(const queue::Origin& origin, queue::MessageId id);

// Bytes of the PUBLISH packet (MQTT 5.0, chapter 3.3; QoS 1; with the id as its only property, or in 3.1.1
// none).
std::size_t publish_size(std::string_view topic, std::string_view id, std::size_t payload, bool v5);

// A broker's answer to a PUBLISH.
enum class PublishOutcome {
  kTaken,
  kLater,      // it cannot just now: the same message may pass another time
  kForbidden,  // its access list says no: whoever keeps the list may correct it
  kRefused,    // this message will never pass
};
PublishOutcome publish_outcome(std::uint8_t reason);

}  // namespace tulpar::bridge
