// SPDX-License-Identifier: Apache-2.0
#include "queue/at_hand.hpp"

#include <string>

#include "tests/catch.hpp"

namespace tulpar::queue {
namespace {

using Texts = AtHand<std::string>;

Entry entry(MessageId id, std::uint32_t bytes) { return {.id = id, .bytes = bytes}; }

}  // namespace

TEST_CASE("At hand: what was added is there until it is forgotten") {
  Texts texts;
  texts.add(entry(2, 5), "two");
  texts.add(entry(7, 5), "seven");
  REQUIRE(texts.find(2));
  CHECK(*texts.find(2) == "two");
  CHECK(texts.ids() == std::vector<MessageId>{2, 7});
  texts.forget(2);
  texts.forget(2);
  texts.forget(99);
  CHECK_FALSE(texts.find(2));
  CHECK(texts.ids() == std::vector<MessageId>{7});
}

TEST_CASE("At hand: the oldest give way, and what is too large never comes") {
  constexpr std::uint32_t kThird = Texts::kMost / 3;
  Texts texts;
  for (MessageId id = 1; id <= 3; ++id) texts.add(entry(id, kThird), "");
  CHECK(texts.ids().size() == 3);
  texts.add(entry(4, kThird), "");
  CHECK(texts.ids() == std::vector<MessageId>{2, 3, 4});
  texts.add(entry(5, Texts::kMost + 1), "");
  CHECK(texts.ids() == std::vector<MessageId>{2, 3, 4});
  // What was forgotten takes no room.
  texts.forget(3);
  texts.add(entry(6, kThird), "");
  CHECK(texts.ids() == std::vector<MessageId>{2, 4, 6});
}

}  // namespace tulpar::queue
