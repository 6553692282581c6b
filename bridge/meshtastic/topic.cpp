// SPDX-License-Identifier: Apache-2.0
#include "bridge/meshtastic/topic.hpp"

#include <fmt/format.h>

#include <charconv>

namespace tulpar::bridge::meshtastic {
namespace {

// The last level of `rest`, which loses it and its slash; nothing when no slash is left: the root needs a level
// too.
std::optional<std::string_view> take_last_level(std::string_view& rest) {
  const auto slash = rest.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto level = rest.substr(slash + 1);
  rest = rest.substr(0, slash);
  return level;
}

}  // namespace

std::string node_id(NodeNum node) { return fmt::format("!{:08x}", node); }

std::optional<NodeNum> parse_node_id(std::string_view text) {
  if (text.size() != 9 || text.front() != '!') return std::nullopt;
  NodeNum node = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + 1, end, node, 16);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return node;
}

std::optional<Topic> parse_topic(std::string_view topic) {
  auto rest = topic;
  const auto last = take_last_level(rest);
  const auto channel = take_last_level(rest);
  // The map's topic ends with a slash, so its last level is empty.
  if (last && last->empty() && channel == "map" && take_last_level(rest) == "2")
    return Topic{TopicForm::kMap, {}, {}};
  const auto kind = take_last_level(rest);
  if (take_last_level(rest) != "2") return std::nullopt;
  if (kind == "e" || kind == "c") return Topic{TopicForm::kEnvelope, *channel, parse_node_id(*last)};
  if (kind == "json") return Topic{TopicForm::kJson, *channel, parse_node_id(*last)};
  return std::nullopt;
}

}  // namespace tulpar::bridge::meshtastic
