// SPDX-License-Identifier: Apache-2.0
#include "bridge/topic_filter.hpp"

#include <string>

#include "tests/catch.hpp"

using namespace tulpar::bridge;
using namespace std::string_view_literals;

TEST_CASE("topic: validity") {
  CHECK(valid_topic("msh/EU_868/2/e/LongFast/!7efeee00"));
  CHECK(valid_topic("/"));
  CHECK(valid_topic("a b/ü/"));
  CHECK(valid_topic("$SYS/broker/uptime"));
  CHECK(valid_topic(std::string(65'535, 'a')));

  CHECK_FALSE(valid_topic(""));
  CHECK_FALSE(valid_topic(std::string(65'536, 'a')));
  CHECK_FALSE(valid_topic("a/+/b"));
  CHECK_FALSE(valid_topic("a/#"));
  CHECK_FALSE(valid_topic("a+"));
  CHECK_FALSE(valid_topic("a\0b"sv));
  CHECK_FALSE(valid_topic("a\nb"));
  CHECK_FALSE(valid_topic("a\x7f"));
  CHECK_FALSE(valid_topic("a\xc2\x85"));          // U+0085, a control character
  CHECK_FALSE(valid_topic("a\xef\xbf\xbe"));      // U+FFFE
  CHECK_FALSE(valid_topic("a\xf0\x9f\xbf\xbf"));  // U+1FFFF
  CHECK_FALSE(valid_topic("a\xef\xb7\x90"));      // U+FDD0
  CHECK_FALSE(valid_topic("a\xff"));
}

TEST_CASE("filter: validity") {
  for (const auto good : {"#", "+", "/", "+/+", "a/#", "+/a/#", "$SYS/#", "a//b", "/+"}) {
    INFO(good);
    CHECK(valid_filter(good));
  }
  for (const auto bad : {"", "a#", "#a", "a/#/b", "##", "#/", "a+", "+a", "a/+b/c", "++"}) {
    INFO(bad);
    CHECK_FALSE(valid_filter(bad));
  }
  CHECK_FALSE(valid_filter("a\0"sv));
  CHECK_FALSE(valid_filter(std::string(65'536, 'a')));
}

TEST_CASE("filter: matches") {
  struct Case {
    const char* filter;
    const char* topic;
    bool matches;
  };
  const Case cases[] = {
      {"a/b", "a/b", true},
      {"a/b", "a/B", false},
      {"a/b", "a", false},
      {"a", "a/b", false},
      {"a/b", "a/b/", false},
      {"a/b/", "a/b", false},
      {"a/b/", "a/b/", true},
      {"+", "a", true},
      {"+", "a/b", false},
      {"+", "/a", false},
      {"/+", "/a", true},
      {"+/+", "/a", true},
      {"+/b", "a/b", true},
      {"+/b", "a/c", false},
      {"a/+", "a/", true},
      {"a/+", "a", false},
      {"a/+/c", "a//c", true},
      {"a/+/c", "a/b/c", true},
      {"a/+/c", "a/b/b/c", false},
      {"#", "a", true},
      {"#", "/", true},
      {"#", "a/b/c", true},
      {"a/#", "a", true},
      {"a/#", "a/", true},
      {"a/#", "a/b/c", true},
      {"a/#", "ab", false},
      {"a/b/#", "a", false},
      {"+/#", "a", true},
      {"+/b/#", "a/b", true},
      {"a/+/#", "a", false},
      {"ab", "a", false},
      {"msh/#", "msh/EU_868/2/e/LongFast/!7efeee00", true},
      {"mesh/+/sos", "mesh/n1/sos", true},
      {"mesh/+/sos", "mesh/n1/x/sos", false},
      // A leading wildcard does not select the broker's own topics.
      {"#", "$SYS/uptime", false},
      {"+/uptime", "$SYS/uptime", false},
      {"$SYS/#", "$SYS/uptime", true},
      {"$SYS/+", "$SYS/uptime", true},
      {"a/+", "a/$b", true},
  };
  for (const auto& c : cases) {
    INFO(c.filter << " on " << c.topic);
    REQUIRE(valid_filter(c.filter));
    REQUIRE(valid_topic(c.topic));
    CHECK(topic_matches(c.filter, c.topic) == c.matches);
  }
}

TEST_CASE("filter: a very deep topic is matched in one pass") {
  std::string deep;
  for (int i = 0; i < 30'000; ++i) deep += "a/";
  CHECK(topic_matches("a/#", deep));
  CHECK_FALSE(topic_matches("a/+", deep));
  CHECK(topic_level(deep, 30'001) == "");
}

TEST_CASE("topic: levels are counted from 1") {
  CHECK(topic_level("mesh/n1/sos", 1) == "mesh");
  CHECK(topic_level("mesh/n1/sos", 2) == "n1");
  CHECK(topic_level("mesh/n1/sos", 3) == "sos");
  CHECK(topic_level("mesh/n1/sos", 4) == std::nullopt);
  CHECK(topic_level("mesh//", 2) == "");
  CHECK(topic_level("mesh//", 3) == "");
  CHECK(topic_level("sos", 2) == std::nullopt);
  CHECK(topic_level("sos", 0) == std::nullopt);
  CHECK(topic_level("sos", -1) == std::nullopt);
}
