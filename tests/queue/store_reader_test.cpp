// SPDX-License-Identifier: Apache-2.0
#include "queue/store_reader.hpp"

#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {
namespace {

struct Fixture : StoreFixture {
  StoreReader reader{path};
  MessageId add(std::string topic, ClassId cls = 1, std::string node = "node-1") {
    auto made = message(std::move(topic));
    made.cls = cls;
    made.node = std::move(node);
    return accept(made).entry.id;
  }
  std::int64_t used(std::int64_t from) {
    std::int64_t sum = 0;
    for (const auto& [cls, bytes] : reader.used_since("sat", from)) sum += bytes;
    return sum;
  }
  std::int64_t wall_s() const {
    return std::chrono::duration_cast<std::chrono::seconds>(clock.wall().time_since_epoch()).count();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "Bodies come in the order asked without those that are gone") {
  const auto a = add("a"), b = add("b"), c = add("c");
  const Finished end{b, State::kDropped, DropReason::kOperator};
  run([&](Store& s) { s.finish(std::span(&end, 1)); });
  const auto bodies = reader.bodies({c, b, a, 99});
  REQUIRE(bodies.size() == 2);
  CHECK(bodies[0].topic == "c");
  CHECK(bodies[1].topic == "a");
  CHECK(as_text(bodies[1].payload) == "hello");
}

TEST_CASE_METHOD(Fixture, "An empty payload and a topic with any bytes come back as they were") {
  auto made = message(std::string("a\0b\xff", 4), "");
  const auto id = accept(made).entry.id;
  const auto bodies = reader.bodies({id});
  REQUIRE(bodies.size() == 1);
  CHECK(bodies[0].topic == made.topic);
  CHECK(bodies[0].payload.empty());
}

TEST_CASE_METHOD(Fixture, "A body for a sink has its stable id and who sent it") {
  auto made = message();
  made.peer = kEdge;
  made.sinks = 1;
  made.origin = peer;
  made.origin_incarnation = 42;
  made.origin_number = 7;
  const auto id = accept(made).entry.id;
  const auto bodies = reader.edge_bodies({id});
  REQUIRE(bodies.size() == 1);
  CHECK(bodies[0].origin.incarnation == 42);
  CHECK(bodies[0].origin.number == 7);
  CHECK(bodies[0].peer == "relay");
}

TEST_CASE_METHOD(Fixture, "Stories are listed newest first, page by page and filtered") {
  for (int i = 0; i < 5; ++i) add("t", static_cast<ClassId>(i % 2), i < 3 ? "x" : "y");
  const auto ids = [&](auto narrow) {
    StoryFilter filter;
    narrow(filter);
    std::vector<MessageId> found;
    for (const auto& story : reader.list(filter)) found.push_back(story.id);
    return found;
  };
  CHECK(ids([](StoryFilter&) {}) == std::vector<MessageId>{5, 4, 3, 2, 1});
  CHECK(ids([](StoryFilter& f) { f.limit = 2; }) == std::vector<MessageId>{5, 4});
  CHECK(ids([](StoryFilter& f) { f.after = 4, f.limit = 2; }) == std::vector<MessageId>{3, 2});
  CHECK(ids([](StoryFilter& f) { f.cls = "message"; }) == std::vector<MessageId>{4, 2});
  CHECK(ids([](StoryFilter& f) { f.node = "y"; }) == std::vector<MessageId>{5, 4});
  const MessageId flying = 3;
  run([&](Store& s) { s.mark_in_flight(std::span(&flying, 1), 1); });
  CHECK(ids([](StoryFilter& f) { f.state = State::kQueued; }).size() == 5);
  CHECK(ids([](StoryFilter& f) { f.state = State::kDropped; }).empty());
  CHECK(ids([](StoryFilter& f) { f.cls = "' OR 1"; }).empty());
}

TEST_CASE_METHOD(Fixture, "A story tells what became of its message") {
  const auto id = add("t");
  CHECK_FALSE(reader.story(99).has_value());
  const auto accepted = clock.wall().time_since_epoch().count();
  CHECK_FALSE(reader.story(id)->sent_wall);
  clock.advance(Millis{10});
  run([&](Store& s) { s.mark_in_flight(std::span(&id, 1), 1); });
  // Its batch was given up; the second one is not when it was sent.
  clock.advance(Millis{10});
  run([&](Store& s) {
    s.mark_queued(std::span(&id, 1));
    s.mark_in_flight(std::span(&id, 1), 2);
    s.mark_queued(std::span(&id, 1));
  });
  const Finished end{id, State::kDropped, DropReason::kOperator};
  run([&](Store& s) { s.finish(std::span(&end, 1)); });
  const auto story = reader.story(id);
  REQUIRE(story.has_value());
  CHECK(story->accepted_wall == accepted);
  CHECK(story->sent_wall == accepted + 10);
  CHECK(story->state == State::kDropped);
  CHECK(story->reason == DropReason::kOperator);
  CHECK(story->cls == "message");
  CHECK(story->peer == "relay");
  CHECK(story->finished_wall == clock.wall().time_since_epoch().count());
}

TEST_CASE_METHOD(Fixture, "What was used since a moment is counted once, to five minutes") {
  // 12:00 on the first day, then every hour for three days.
  for (int hour = 0; hour < 72; ++hour) {
    run([&](Store& s) { s.book(link, {.wire_up = 1, .wire_down = 1}); });
    clock.advance(std::chrono::hours(1));
  }
  const std::int64_t begin = wall_s() - 72 * 3600;
  for (const int hours : {0, 1, 11, 12, 13, 36, 71, 72}) CHECK(used(begin + hours * 3600) == 2 * (72 - hours));
  CHECK(used(begin + 300) == 2 * 71);
  CHECK(reader.used_since("other", 0).empty());
}

TEST_CASE_METHOD(Fixture,
                 "A cycle that begins within a day counts all of that day when its fine slots are gone") {
  run([&](Store& s) { s.book(link, {.wire_up = 1000}); });
  const std::int64_t begin = wall_s() - 3600;
  clock.advance(std::chrono::days(40));
  store->database().execute("DELETE FROM usage WHERE resolution = 300");
  CHECK(used(begin) == 1000);
}

TEST_CASE_METHOD(Fixture, "Usage is given by class, node and link and adds up alike") {
  const SettledBatch batch{.number = 1, .plain = {}, .messages = {{add("t"), 50}, {add("u", 2, "other"), 30}}};
  run([&](Store& s) {
    s.settle(peer, link, batch);
    s.book(link, {.wire_up = 100, .wire_down = 11});
  });
  for (const auto* by : {"class", "node", "link"}) {
    Usage sum;
    for (const auto& row : reader.usage(3600, 0, wall_s() + 1, by)) sum += row.usage;
    CHECK(sum.wire_up == 100);
    CHECK(sum.wire_down == 11);
    CHECK(sum.messages == 2);
  }
  CHECK(reader.usage(3600, 0, wall_s() + 1, "class").at(0).label == "message");
  CHECK(reader.usage(3600, wall_s() + 3600, wall_s() + 7200, "class").empty());
}

TEST_CASE_METHOD(Fixture, "The reader sees nothing of a group that is not committed") {
  {
    Transaction open(store->database());
    const auto made = message();
    store->accept(std::span(&made, 1));
    CHECK(reader.list({}).empty());
    CHECK(reader.books().empty());
  }
  store->forget();
  CHECK(reader.list({}).empty());
}

}  // namespace tulpar::queue
