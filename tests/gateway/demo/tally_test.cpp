// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/tally.hpp"

#include <string>

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;

TEST_CASE("a tally counts each message once, however often it comes") {
  Tally tally;
  for (MessageKey key = 1; key <= 5; ++key) tally.published(key, {});
  CHECK(tally.arrived(3));
  CHECK_FALSE(tally.arrived(3));
  CHECK_FALSE(tally.arrived(99));
  CHECK(tally.arrived(1));
  CHECK(tally.published() == 5);
  CHECK(tally.delivered() == 2);
  CHECK(tally.waiting() == 3);
}

TEST_CASE("what will never come does not wait, and never less than nothing waits") {
  Tally tally;
  for (MessageKey key = 1; key <= 5; ++key) tally.published(key, {});
  CHECK(tally.waiting(2) == 3);
  // The ledger may already know what the broker has not yet told.
  CHECK(tally.waiting(9) == 0);
}

TEST_CASE("messages are told apart by their payload") {
  CHECK(key_of(as_bytes("one")) == key_of(as_bytes("one")));
  CHECK(key_of(as_bytes("one")) != key_of(as_bytes("two")));
}

TEST_CASE("what people wrote is counted apart, and the latest is remembered") {
  Tally tally;
  for (MessageKey key = 0; key < 100; ++key) {
    tally.published(key, {.text = std::to_string(key), .human = true});
  }
  for (MessageKey key = 0; key < 95; ++key) tally.arrived(key);
  CHECK(tally.human() == 100);
  CHECK(tally.human_delivered() == 95);
  REQUIRE(tally.latest().size() == Tally::kLatest);
  CHECK(tally.latest().front().text == "94");
  CHECK(tally.latest().back().text == std::to_string(95 - Tally::kLatest));
  tally.published(200, {.text = "x"});
  CHECK(tally.human() == 100);
}

TEST_CASE("machines that talk one after the other are one line, people a line each") {
  Tally tally;
  const std::string said = "mmmhhmhm";
  for (MessageKey key = 0; key < said.size(); ++key) {
    tally.published(key, {.text = std::to_string(key), .human = said[key] == 'h'});
    tally.arrived(key);
  }
  std::string lines;
  for (const FeedLine& line : tally.latest()) lines += line.text + "x" + std::to_string(line.run) + " ";
  CHECK(lines == "7x1 6x1 5x1 4x1 3x1 2x3 ");
  CHECK(tally.delivered() == said.size());
}
