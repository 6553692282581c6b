// SPDX-License-Identifier: Apache-2.0
//
// The topics under which Meshtastic nodes publish, and node numbers as they are written there.
//
//   ROOT/2/e/CHANNEL/!GATEWAY      ServiceEnvelope (CHANNEL is PKI for packets under a receiver's own key)
//   ROOT/2/c/CHANNEL/!GATEWAY      the same before firmware 2.3
//   ROOT/2/map/                    ServiceEnvelope with a map report, never encrypted
//   ROOT/2/json/CHANNEL/!GATEWAY   JSON copy of what goes to /2/e/, up to firmware 2.7; not decoded here
//
// ROOT has any number of levels and may itself contain a level "2", so topics are read from their end.
// Pure functions, any thread. Views point into the topic.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tulpar::bridge::meshtastic {

using NodeNum = std::uint32_t;
inline constexpr NodeNum kBroadcast = 0xffffffff;
inline constexpr NodeNum kBroadcastNoLora = 1;  // to all, but never repeated on the radio
inline constexpr std::string_view kPkiChannel = "PKI";

// "!7efeee00".
std::string node_id(NodeNum node);
// The reverse: '!' and exactly eight hexadecimal digits of either case, or nothing.
std::optional<NodeNum> parse_node_id(std::string_view text);

enum class TopicForm { kEnvelope, kMap, kJson };

struct Topic {
  TopicForm form = TopicForm::kEnvelope;
  std::string_view channel;        // empty for the map
  std::optional<NodeNum> gateway;  // the last level, if it is a node's name (nodes do not insist on it)
};

// Nothing iff the topic has none of the forms above.
std::optional<Topic> parse_topic(std::string_view topic);

}  // namespace tulpar::bridge::meshtastic
