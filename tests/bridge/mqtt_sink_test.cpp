// SPDX-License-Identifier: Apache-2.0
//
// The sink: what is owed is published, and the store knows when it is taken.
#include "tests/bridge/sink_fixture.hpp"

namespace tulpar::bridge {
namespace {

TEST_CASE_METHOD(SinkFixture, "Sink: publishes what is owed, and the store knows when it is taken", "[sink]") {
  open();
  const Entry entry = owe("msh/x", "hello", 42);
  sink->add(entry);
  REQUIRE(delivers(1));
  const auto seen = broker.seen(test::kPublish);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].topic == "from/relay/msh/x");
  CHECK(seen[0].payload == "hello");
  CHECK(seen[0].tulpar_id == "0000000000000abc-42");
  CHECK(sink->status().published == 1);
  CHECK(balanced());
}

TEST_CASE_METHOD(SinkFixture, "Sink: what was accepted here goes under our own name and id", "[sink]") {
  open();
  const Entry entry = owe("t", "hello");
  sink->add(entry);
  REQUIRE(delivers(1));
  const auto seen = broker.seen(test::kPublish);
  CHECK(seen[0].topic == "from/relay-1/t");
  CHECK(seen[0].tulpar_id == "0000000000000000-" + std::to_string(entry.id));
}

TEST_CASE_METHOD(SinkFixture, "Sink: never more than twenty unacknowledged, in order, then the rest",
                 "[sink]") {
  std::size_t most = 0;
  std::vector<int> unanswered;
  broker.on_publish = [&](const auto& packet) {
    unanswered.push_back(packet.mid);
    most = std::max(most, unanswered.size());
  };
  open();
  owe_many(50);
  REQUIRE(run_until(loop, [&] { return unanswered.size() == 20; }));
  test::settle(loop);
  CHECK(unanswered.size() == 20);
  while (!unanswered.empty()) {
    broker.acknowledge(unanswered.front());
    unanswered.erase(unanswered.begin());
    test::settle(loop);
  }
  REQUIRE(delivers(50));
  CHECK(most == 20);
  std::vector<std::string> topics;
  for (const auto& packet : broker.seen(test::kPublish)) topics.push_back(packet.topic);
  REQUIRE(topics.size() == 50);
  for (int i = 1; i <= 50; ++i)
    CHECK(topics[static_cast<std::size_t>(i - 1)] == "from/relay/t/" + std::to_string(i));
}

TEST_CASE_METHOD(SinkFixture, "Sink: fewer where the broker wants fewer", "[sink]") {
  broker.on_connect = [this](const auto&) { broker.accept(false, {0x21, 0, 3}); };
  broker.on_publish = [](const auto&) {};
  open();
  owe_many(10);
  REQUIRE(run_until(loop, [&] { return broker.seen(test::kPublish).size() == 3; }));
  test::settle(loop);
  CHECK(broker.seen(test::kPublish).size() == 3);
}

TEST_CASE_METHOD(SinkFixture, "Sink: answers are written in groups, and a slot is free only then", "[sink]") {
  open();
  owe_many(20);
  REQUIRE(delivers(20));
  CHECK(runner.writes < 20);
}

TEST_CASE_METHOD(SinkFixture, "Sink: the most urgent goes first", "[sink]") {
  broker.on_connect = [this](const auto&) { broker.accept(false, {0x21, 0, 1}); };
  open();
  sink->add(owe("bulk", "x", 1, 4));
  sink->add(owe("text", "x", 2, 1));
  sink->add(owe("sos", "x", 3, 0));
  REQUIRE(delivers(3));
  const auto seen = broker.seen(test::kPublish);
  CHECK(seen[0].topic == "from/relay/sos");
  CHECK(seen[1].topic == "from/relay/text");
}

TEST_CASE_METHOD(SinkFixture, "Sink: nothing waits or gives way here, but what outlived its class expires",
                 "[sink]") {
  std::vector<Entry> entries;
  for (int i = 0; i < 3; ++i) {
    Entry entry = owe("position", std::to_string(i), static_cast<std::uint64_t>(i + 1), 3);
    entry.kind = 3 << 8;
    entries.push_back(entry);
  }
  SECTION("alive: each of them goes, at once") {
    open();
    for (const auto& entry : entries) sink->add(entry);
    REQUIRE(delivers(3));
  }
  SECTION("dead: ended through the store, though the broker is away") {
    entries.push_back(owe("sos", "x", 9, 0));
    clock.advance(std::chrono::hours(24 * 30));
    broker.on_connect = [this](const auto&) { broker.refuse(0x88); };
    open();
    for (const auto& entry : entries) sink->add(entry);
    REQUIRE(run_until(loop, [&] { return query("SELECT count(*) FROM message WHERE state = 3") == 3; }));
    CHECK(sink->status().queued == 1);
    CHECK(state(entries.back().id) == 0);
  }
  CHECK(balanced());
}

TEST_CASE_METHOD(SinkFixture, "Sink: what expires here after another sink took it counts as delivered",
                 "[sink]") {
  queue::NewMessage made = message("t", "x");
  made.peer = queue::kEdge;
  made.cls = 2;
  made.sinks = 3;
  const Entry entry = accept(made).entry;
  run([&](queue::Store& s) { return s.deliver_to_sink(std::span(&entry.id, 1), 1); });
  clock.advance(std::chrono::hours(24 * 30));
  open();
  sink->add(entry);
  REQUIRE(ends(entry.id));
  CHECK(delivered() == 1);
  CHECK(balanced());
}

TEST_CASE_METHOD(SinkFixture, "Sink: gives way by class and age, refused ones too, never an emergency",
                 "[sink]") {
  broker.on_publish = [this](const auto& packet) {
    broker.acknowledge(packet.mid, packet.topic.ends_with("bad") ? 0x87 : 0);
  };
  open();
  const Entry refused = owe("bad", "xx", 1, 3), sos = owe("bad", "xx", 2, 0);
  sink->add(refused);
  sink->add(sos);
  REQUIRE(run_until(loop, [&] { return sink->status().forbidden == 2; }));
  for (queue::ClassId cls = 1; cls < 5; ++cls) sink->pause(cls, true);
  const Entry bulk = owe("b", "xxxx", 3, 4), older = owe("t", "xxxx", 4, 3), text = owe("m", "xxxx", 5, 1);
  for (const Entry& entry : {bulk, older, text}) sink->add(entry);
  CHECK(sink->waiting_bytes() == 25);
  CHECK(sink->state(3).queued_bytes == 10);
  sink->evict(6);
  REQUIRE(run_until(loop, [&] { return state(refused.id) == kDropped; }));
  CHECK(state(bulk.id) == kDropped);
  CHECK(reason(bulk.id) == number(queue::DropReason::kStoreFull));
  CHECK(state(older.id) == 0);
  sink->evict(1000);
  REQUIRE(run_until(loop, [&] { return state(text.id) == kDropped; }));
  CHECK(state(sos.id) == 0);
  CHECK(sink->waiting_bytes() == 5);
  CHECK(balanced());
}

TEST_CASE_METHOD(SinkFixture, "Sink: a paused class stays, until it goes on", "[sink]") {
  open();
  sink->pause(2, true);
  const Entry entry = owe("t", "x", 1);
  sink->add(entry);
  REQUIRE(run_until(loop, [&] { return sink->status().connected; }));
  test::settle(loop);
  CHECK(broker.seen(test::kPublish).empty());
  SECTION("as it was") { sink->pause(2, false); }
  SECTION("in another class") { CHECK(sink->reclassify(entry.id, 1)); }
  REQUIRE(delivers(1));
  CHECK_FALSE(sink->reclassify(entry.id, 2));
}

TEST_CASE("Sink options: from the configuration, without a session", "[sink]") {
  config::Sink sink;
  sink.host = "mqtt.example.org";
  sink.password = "p";
  const auto options = sink_options(sink, "id");
  CHECK(options.host == "mqtt.example.org");
  CHECK(options.password == "p");
  CHECK(options.session_expiry == 0);
  CHECK(options.filters.empty());
}

}  // namespace
}  // namespace tulpar::bridge
