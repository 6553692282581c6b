// SPDX-License-Identifier: Apache-2.0
#include "queue/flow.hpp"

#include "tests/catch.hpp"
#include "tests/queue/entries.hpp"

using namespace tulpar;
using namespace tulpar::queue;

namespace {

Entry entry(MessageId id, std::int64_t accepted) { return {.id = id, .accepted = at(accepted)}; }

std::vector<MessageId> drain(Flow& flow) {
  std::vector<MessageId> order;
  while (!flow.empty()) order.push_back(flow.take_front().id);
  return order;
}

}  // namespace

TEST_CASE("flow: leaves in the order of ids, whatever the order of insertion") {
  Flow flow;
  for (const MessageId id : {5, 9, 7, 1, 12}) flow.insert(entry(id, id));
  CHECK(drain(flow) == std::vector<MessageId>{1, 5, 7, 9, 12});
}

TEST_CASE("flow: knows its oldest while acceptance times follow the ids") {
  Flow flow;
  for (const MessageId id : {1, 2, 3}) flow.insert(entry(id, 10 * id));
  CHECK(flow.oldest() == at(10));
  flow.take_front();
  CHECK(flow.oldest() == at(20));
  CHECK(flow.take(3)->id == 3);
  CHECK(flow.oldest() == at(20));
  flow.insert(entry(1, 10));
  CHECK(flow.oldest() == at(10));
}

TEST_CASE("flow: knows its oldest when a later id was accepted earlier") {
  Flow flow;
  flow.insert(entry(1, 50));
  flow.insert(entry(2, 20));
  flow.insert(entry(3, 40));
  flow.insert(entry(4, 60));
  CHECK(flow.oldest() == at(20));

  SECTION("the front leaves, the oldest stays") {
    CHECK(flow.take_front().id == 1);
    CHECK(flow.oldest() == at(20));
    CHECK(flow.take_front().id == 2);
    CHECK(flow.oldest() == at(40));
  }
  SECTION("the oldest is taken out of the middle") {
    CHECK(flow.take_oldest().id == 2);
    CHECK(flow.oldest() == at(40));
    CHECK(flow.take_oldest().id == 3);
    CHECK(flow.take_oldest().id == 1);
    CHECK(flow.take_oldest().id == 4);
    CHECK(flow.empty());
  }
  SECTION("what is older than a limit leaves, wherever it stands") {
    std::deque<Entry> out;
    flow.take_until(at(40), out);
    REQUIRE(out.size() == 2);
    CHECK(out[0].id == 2);
    CHECK(out[1].id == 3);
    CHECK(flow.oldest() == at(50));
    CHECK(drain(flow) == std::vector<MessageId>{1, 4});
  }
}

TEST_CASE("flow: an insertion between two neighbours keeps the oldest exact") {
  Flow flow;
  flow.insert(entry(1, 10));
  flow.insert(entry(3, 30));
  flow.insert(entry(2, 40));  // out of order towards the younger neighbour only
  flow.take_front();
  CHECK(flow.oldest() == at(30));
  CHECK(flow.take_oldest().id == 3);
}

TEST_CASE("flow: the limit of take_until belongs to what is taken") {
  Flow flow;
  for (const MessageId id : {1, 2, 3}) flow.insert(entry(id, 10 * id));
  std::deque<Entry> out;
  flow.take_until(at(9), out);
  CHECK(out.empty());
  flow.take_until(at(20), out);
  CHECK(out.size() == 2);
  CHECK(flow.oldest() == at(30));
}

TEST_CASE("flow: finds and takes by id only what is there") {
  Flow flow;
  for (const MessageId id : {2, 4}) flow.insert(entry(id, id));
  CHECK(flow.find(4)->id == 4);
  for (const MessageId id : {1, 3, 5}) {
    CHECK(flow.find(id) == std::nullopt);
    CHECK_FALSE(flow.take(id));
  }
  CHECK(flow.take(2)->id == 2);
  CHECK(flow.take(4)->id == 4);
  CHECK(flow.empty());
}
