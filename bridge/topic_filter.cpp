// SPDX-License-Identifier: Apache-2.0
#include "bridge/topic_filter.hpp"

#include "bridge/utf8.hpp"
#include "config/types.hpp"

namespace tulpar::bridge {
namespace {

// The next level of `rest`, which loses it and its slash; `more` tells whether another one follows.
std::string_view take_level(std::string_view& rest, bool& more) {
  const auto slash = rest.find('/');
  more = slash != std::string_view::npos;
  const auto level = rest.substr(0, slash);
  rest.remove_prefix(more ? slash + 1 : rest.size());
  return level;
}

bool is_refused(char32_t point) {
  const bool control = point < 0x20 || (point >= 0x7f && point <= 0x9f);
  const bool non_character = (point & 0xfffe) == 0xfffe || (point >= 0xfdd0 && point <= 0xfdef);
  return control || non_character;
}

bool valid_string(std::string_view text) {
  if (text.empty() || text.size() > config::kMaxTopic) return false;
  while (!text.empty()) {
    const auto point = take_code_point(text);
    if (!point || is_refused(*point)) return false;
  }
  return true;
}

}  // namespace

bool valid_topic(std::string_view topic) {
  return valid_string(topic) && topic.find_first_of("+#") == std::string_view::npos;
}

bool valid_filter(std::string_view filter) {
  if (!valid_string(filter)) return false;
  for (bool more = true; more;) {
    const auto level = take_level(filter, more);
    if (level.find_first_of("+#") == std::string_view::npos) continue;
    if (level.size() != 1 || (level == "#" && more)) return false;
  }
  return true;
}

bool topic_matches(std::string_view filter, std::string_view topic) {
  if (topic.starts_with('$') && !filter.starts_with('$')) return false;
  bool more_filter = true;
  bool more_topic = true;
  while (more_filter && more_topic) {
    const auto wanted = take_level(filter, more_filter);
    if (wanted == "#") return true;
    const auto level = take_level(topic, more_topic);
    if (wanted != "+" && wanted != level) return false;
  }
  if (more_topic) return false;
  return !more_filter || filter == "#";
}

std::optional<std::string_view> topic_level(std::string_view topic, int number) {
  bool more = number >= 1;
  for (int i = 1; more; ++i) {
    const auto level = take_level(topic, more);
    if (i == number) return level;
  }
  return std::nullopt;
}

}  // namespace tulpar::bridge
