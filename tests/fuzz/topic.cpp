// SPDX-License-Identifier: Apache-2.0
//
// Topics and filters against libmosquitto, which is to publish what we accept and to subscribe what we
// configure.
//
// Input: a filter, a newline, a topic, a newline, a second filter.
#include <mosquitto.h>

#include <string>

#include "bridge/topic_filter.hpp"
#include "bridge/utf8.hpp"
#include "config/check.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tulpar;
using namespace tulpar::bridge;
using tulpar::fuzz::Input;
using tulpar::fuzz::require;

namespace {

// A copy, since libmosquitto reads on where a character is cut at the end: the zero behind it stops that.
bool utf8_for_mosquitto(std::string_view text) {
  return mosquitto_validate_utf8(std::string(text).c_str(), static_cast<int>(text.size())) == MOSQ_ERR_SUCCESS;
}

void judge_text(std::string_view text) {
  if (text.empty() || text.size() > 65'535) return;
  if (utf8_for_mosquitto(text)) require(valid_utf8(text), "what a broker takes for UTF-8 is UTF-8");
  if (valid_topic(text))
    require(
        utf8_for_mosquitto(text) && mosquitto_pub_topic_check2(text.data(), text.size()) == MOSQ_ERR_SUCCESS,
        "a topic that we accept can be published");
  if (valid_filter(text)) {
    require(
        utf8_for_mosquitto(text) && mosquitto_sub_topic_check2(text.data(), text.size()) == MOSQ_ERR_SUCCESS,
        "a filter that we accept can be subscribed");
    require(config::check_filter(text).has_value(), "a filter may be configured");
  }
  for (std::size_t limit = 0; limit < std::min<std::size_t>(text.size(), 8); ++limit)
    if (valid_utf8(text)) require(valid_utf8(utf8_prefix(text, limit)), "a prefix cuts no character");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  const auto filter = in.text_until('\n'), topic = in.text_until('\n'), other = in.rest_text();
  for (const auto text : {filter, topic, other}) judge_text(text);
  for (int level = -1; level < 4; ++level)
    if (const auto found = topic_level(topic, level))
      require(level >= 1 && found->find('/') == found->npos, "a level is one level");
  if (!valid_filter(filter) || !valid_topic(topic)) return 0;
  bool theirs = false;
  // The form that takes lengths wants a zero behind them all the same.
  require(mosquitto_topic_matches_sub(std::string(filter).c_str(), std::string(topic).c_str(), &theirs) ==
              MOSQ_ERR_SUCCESS,
          "libmosquitto can tell");
  require(topic_matches(filter, topic) == theirs, "a filter selects what the broker sends for it");
  if (!valid_filter(other)) return 0;
  const bool overlap = config::filters_overlap(filter, other);
  require(overlap == config::filters_overlap(other, filter), "an overlap has no direction");
  if (theirs && topic_matches(other, topic)) require(overlap, "filters that select one topic overlap");
  return 0;
}
