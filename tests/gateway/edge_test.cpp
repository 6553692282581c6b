// SPDX-License-Identifier: Apache-2.0
//
// What waits for the brokers here: bounded as the links' queues are, and the operator's to pause, move and
// drop.
#include "tests/bridge/fake_broker.hpp"
#include "tests/gateway/desk_bench.hpp"

namespace tulpar {
namespace {

// A relay with two sinks whose brokers let nobody in.
struct Edge : DeskBench {
  test::FakeBroker north{loop}, south{loop};

  Edge() : DeskBench(true) {
    north.on_connect = [this](const auto&) { north.refuse(0x88); };
    south.on_connect = [this](const auto&) { south.refuse(0x88); };
    station().open_sinks(
        {"north", "south"},
        [this](std::size_t index, int bit) {
          return std::make_unique<bridge::MqttSink>(
              loop, station().clock(), station().runner(),
              station().sink_options((index ? south : north).options(), bit));
        },
        [] {});
    REQUIRE(until([&] { return station().sinks().size() == 2; }));
  }
  ~Edge() {
    desk.reset();
    peers.clear();
    owned.reset();  // its sinks speak with this bench's broker
  }
  queue::MessageId owe(const std::string& payload, queue::ClassId cls, bool both = true) {
    auto made = message(queue::kEdge, "t", payload, cls);
    made.sinks = both ? station().sink_mask() : 1;
    const auto accepted = accept(made);
    station().deliver("roof", {accepted});
    return accepted.entry.id;
  }
  std::int64_t state(queue::MessageId id) {
    return query("SELECT state FROM message WHERE id = " + std::to_string(id));
  }
  std::size_t queued() { return station().sinks()[0]->status().queued; }
};

web::Outcome<void> ask(Edge& edge, auto question) {
  return edge.answer<void>([&](auto done) { question(*edge.desk, done); });
}

}  // namespace

TEST_CASE_METHOD(Edge,
                 "Edge: what waits for brokers is bounded, the least urgent and oldest give way, no SOS") {
  auto options = station().options();
  options.storage.max_size = 10'000;  // 9,500 for all
  options.state_dir = dir / "small";
  Station crowded(loop, options, [] {});
  crowded.open_sinks(
      {"north", "south"},
      [&](std::size_t, int bit) {
        return std::make_unique<bridge::MqttSink>(loop, crowded.clock(), crowded.runner(),
                                                  crowded.sink_options(north.options(), bit));
      },
      [] {});
  REQUIRE(until([&] { return crowded.sinks().size() == 2; }));
  const auto owe = [&](queue::ClassId cls) {
    auto made = message(queue::kEdge, "t", std::string(999, 'x'), cls);
    made.sinks = crowded.sink_mask();
    std::optional<queue::Accepted> accepted;
    crowded.runner().write([&](queue::Store& s) { return s.accept(std::span(&made, 1)).front(); },
                           [&](Result<queue::Accepted> result) { accepted = result.value(); });
    REQUIRE(until([&] { return accepted.has_value(); }));
    crowded.deliver("roof", {*accepted});
  };
  const auto figure = [&](const std::string& sql) {
    return queue::Database(crowded.store_file(), queue::Database::Mode::kReadOnly).query_int(sql);
  };
  for (int i = 0; i < 3; ++i) owe(4);
  for (int i = 0; i < 6; ++i) owe(i < 2 ? 0 : 1);
  crowded.step({});
  CHECK(crowded.sinks()[0]->status().queued == 9);  // two sinks of the same messages count once
  owe(1);
  crowded.step({});
  CHECK(crowded.sinks()[0]->status().queued == 9);
  for (int i = 0; i < 12; ++i) owe(0);
  crowded.step({});
  for (const auto& sink : crowded.sinks()) {
    CHECK(sink->status().queued == 14);
    CHECK(sink->state(queue::kEmergency).queued == 14);
  }
  CHECK(until([&] { return figure("SELECT coalesce(sum(count), 0) FROM drops WHERE reason = 2") == 8; }));
  CHECK(figure("SELECT count(*) FROM message WHERE state = 0 AND class = 1") == 14);
}

TEST_CASE_METHOD(Edge, "Edge: the operator drops what waits there, at each sink, once in the books") {
  const auto both = owe("x", 2), one = owe("y", 2, false);
  CHECK(ask(*this, [&](Desk& desk, auto done) { desk.drop(both, done); }).has_value());
  REQUIRE(until([&] { return state(both) == static_cast<std::int64_t>(queue::State::kDropped); }));
  CHECK(query("SELECT count FROM drops WHERE reason = 1") == 1);
  CHECK(state(one) == 0);
  for (const auto& sink : station().sinks()) CHECK(sink->status().queued == 1);
  CHECK_FALSE(ask(*this, [&](Desk& desk, auto done) { desk.drop(both, done); }).has_value());
}

TEST_CASE_METHOD(Edge, "Edge: what waits there changes its class, also in the store") {
  const auto id = owe("x", 2);
  CHECK(ask(*this, [&](Desk& desk, auto done) { desk.reclassify(id, "bulk", done); }).has_value());
  for (const auto& sink : station().sinks()) CHECK(sink->state(4).queued == 1);
  CHECK(until([&] { return query("SELECT queued FROM book WHERE class = 5") == 1; }));
}

TEST_CASE_METHOD(Edge, "Edge: a class that is paused at a relay waits at its sinks, and goes on after") {
  REQUIRE(desk->pause("normal", true).has_value());
  owe("held", 2);
  const auto text = owe("text", 1);
  north.on_connect = [this](const auto&) { north.accept(); };
  south.on_connect = [this](const auto&) { south.accept(); };
  for (const auto& sink : station().sinks()) sink->start();
  REQUIRE(until([&] { return state(text) == 2; }));
  CHECK(until([&] { return queued() == 1; }));
  REQUIRE(desk->pause("normal", false).has_value());
  CHECK(until([&] { return query("SELECT count(*) FROM message WHERE state = 2") == 2; }));
}

TEST_CASE("Edge: at a gateway a pause saves the link: what comes down is not held") {
  DeskBench bench;
  test::FakeBroker broker(bench.loop);
  bench.station().open_sinks(
      {"mesh"},
      [&](std::size_t, int bit) {
        return std::make_unique<bridge::MqttSink>(bench.loop, bench.station().clock(), bench.station().runner(),
                                                  bench.station().sink_options(broker.options(), bit));
      },
      [] {});
  REQUIRE(bench.until([&] { return !bench.station().sinks().empty(); }));
  REQUIRE(bench.desk->pause("normal", true).has_value());
  CHECK_FALSE(bench.station().sinks()[0]->state(2).paused);
  bench.desk.reset();
  bench.peers.clear();
  bench.owned.reset();
}

}  // namespace tulpar
