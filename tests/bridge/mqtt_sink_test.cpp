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

TEST_CASE_METHOD(SinkFixture, "Sink: what was owed before the start is loaded", "[sink]") {
  const std::vector<Entry> backlog{owe("t/1", "x"), owe("t/2", "y")};
  open();
  sink->load(backlog);
  CHECK(sink->status().queued == 2);
  REQUIRE(delivers(2));
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

TEST_CASE_METHOD(SinkFixture, "Sink: nothing expires, waits or gives way here", "[sink]") {
  std::vector<Entry> entries;
  for (int i = 0; i < 3; ++i) {
    Entry entry = owe("position", std::to_string(i), static_cast<std::uint64_t>(i + 1), 3);
    entry.kind = 3 << 8;
    entries.push_back(entry);
  }
  clock.advance(std::chrono::hours(24 * 30));
  open();
  sink->load(entries);
  REQUIRE(delivers(3));
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
