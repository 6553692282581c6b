// SPDX-License-Identifier: Apache-2.0
//
// What the desk tells: figures, ages, the plan. What it does when asked: desk_messages_test.cpp.
#include "gateway/desk.hpp"

#include "tests/bridge/fake_broker.hpp"
#include "tests/gateway/desk_bench.hpp"

namespace tulpar {
namespace {

const web::ClassStatus& class_of(const web::Status& status, const std::string& name) {
  for (const auto& cls : status.classes)
    if (cls.name == name) return cls;
  throw std::runtime_error("no class " + name);
}

struct RelayBench : DeskBench {
  RelayBench() : DeskBench(true) {}
};

}  // namespace

TEST_CASE_METHOD(DeskBench, "Desk: the status is told from memory, and renewed after a change") {
  auto status = desk->status();  // nothing is read yet, and nobody waits for it
  CHECK(status.name == "roof");
  CHECK(status.uptime >= Millis{0});
  CHECK(status.store.bytes == 0);
  queue_for(*peers[0], "four", 1);
  desk->step();
  CHECK_FALSE(desk->next_wake());  // the answer wakes it
  REQUIRE(until([&] { return renewals == 1; }));
  CHECK_FALSE(desk->next_wake());
  const int woken = wakes;
  desk->changed();
  desk->changed();
  CHECK(wakes == woken + 1);
  CHECK(*desk->next_wake() <= station().clock().now() + Desk::kRefresh);
  queue_for(*peers[1], "seven", 1);
  queue_for(*peers[1], "x", 4);
  renew();
  status = desk->status();
  CHECK(status.ledger.accepted == 3);
  CHECK(status.ledger.queued == 3);
  CHECK(status.verdict == "queued: 3");
  CHECK_FALSE(status.ok);
  CHECK(class_of(status, "message").book.accepted == 2);
  CHECK(class_of(status, "message").queued_bytes == 1 + 4 + 1 + 5);
  CHECK(class_of(status, "message").oldest >= Millis{0});
  CHECK_FALSE(class_of(status, "normal").oldest);
  CHECK(status.store.ok);
  CHECK(status.store.bytes > 0);
  CHECK(status.store.max_bytes == 1'000'000'000);
  CHECK(status.gateways.at(0).name == "hut");
  CHECK(desk->class_names() == queue::kClassNames);
}

TEST_CASE_METHOD(DeskBench,
                 "Desk: at a gateway the mesh's way to the link is the ledger, the way back is apart") {
  accept(message(queue::kEdge, "down", "x", 1));
  queue_for(*peers[0], "y", 1);
  queue_for(*peers[0], "z", 2);
  renew();
  const auto status = desk->status();
  CHECK(status.ledger.accepted == 2);
  CHECK(status.back.accepted == 1);
  CHECK(class_of(status, "message").book.accepted == 1);
  CHECK(class_of(status, "message").queued_bytes == 2);
}

TEST_CASE_METHOD(RelayBench, "Desk: at a relay the way to the sinks is the ledger") {
  accept(message(queue::kEdge, "up", "x", 1));
  queue_for(*peers[0], "y", 1);
  queue_for(*peers[0], "z", 2);
  renew();
  const auto status = desk->status();
  CHECK(status.ledger.accepted == 1);
  CHECK(status.back.accepted == 2);
  CHECK(class_of(status, "message").queued_bytes == 0);  // there is no sink here that it waits for
}

TEST_CASE_METHOD(RelayBench,
                 "Desk: a sink that is away is told, with what it is owed and since when that waits") {
  test::FakeBroker broker(loop);
  broker.on_connect = [&](const auto&) { broker.refuse(0x88); };
  station().open_sinks(
      {"mqtt"},
      [&](std::size_t, int bit) {
        return std::make_unique<bridge::MqttSink>(loop, station().clock(), station().runner(),
                                                  station().sink_options(broker.options(), bit));
      },
      [] {});
  REQUIRE(until([&] { return !station().sinks().empty(); }));
  const auto& sink = *station().sinks()[0];
  station().sinks()[0]->start();
  station().deliver("roof", {accept(message(queue::kEdge, "up", "four", 1))});
  REQUIRE(until([&] { return !desk->status().sinks.at(0).note.empty() && broker.connections() > 0; }));
  auto status = desk->status();
  CHECK(status.sinks[0].name == "mqtt");
  CHECK_FALSE(status.sinks[0].connected);
  CHECK(status.sinks[0].lag == 1);
  CHECK(class_of(status, "message").queued_bytes == 6);
  CHECK(class_of(status, "message").oldest >= Millis{0});
  broker.on_connect = [&](const auto&) { broker.accept(); };
  REQUIRE(until([&] { return sink.status().published == 1 && sink.status().queued == 0; }));
  status = desk->status();
  CHECK(status.sinks[0].connected);
  CHECK(status.sinks[0].lag == 0);
  CHECK(status.sinks[0].note.empty());
  desk.reset();
  peers.clear();
  owned.reset();  // its sink speaks with this test's broker
}

TEST_CASE_METHOD(DeskBench, "Desk: what was accepted in the last minute is counted, copies are not") {
  CHECK(desk->status().mesh.accepted_last_minute == 0);
  auto one = message(peers[0]->id(), "t", "x");
  one.packet = 5;
  const auto first = accept(one), copy = accept(one);
  REQUIRE(copy.duplicate);
  one.packet = 0;
  one.drop = queue::DropReason::kPolicy;
  const auto dropped = accept(one);
  desk->count_accepted({first, copy});
  desk->count_accepted({dropped});
  CHECK(desk->status().mesh.accepted_last_minute == 2);
  renew();
  CHECK(desk->status().ledger.accepted == 2);
}

TEST_CASE_METHOD(DeskBench, "Desk: the mesh is as the program says") {
  mesh = {.connected = true, .durable = false, .note = "QoS 0", .accepted_last_minute = 77};
  const auto status = desk->status();
  CHECK(status.mesh.connected);
  CHECK(status.mesh.note == "QoS 0");
  CHECK(status.mesh.accepted_last_minute == 0);
}

TEST_CASE_METHOD(DeskBench, "Desk: when a message was delivered last is told of those it saw delivered") {
  const auto deliver = [&](const queue::Entry& entry) {
    const queue::Finished end{entry.id, queue::State::kDelivered, queue::DropReason::kNone};
    write([&](queue::Store& store) { return store.finish(std::span(&end, 1)); });
    renew();
  };
  deliver(queue_for(*peers[0], "before it was started"));
  start();
  renew();
  CHECK_FALSE(desk->status().last_delivered);
  deliver(accept(message(queue::kEdge, "down", "the other way")).entry);
  CHECK_FALSE(desk->status().last_delivered);
  deliver(queue_for(*peers[1], "now"));
  REQUIRE(desk->status().last_delivered);
  CHECK(*desk->status().last_delivered >= Millis{0});
  renew();
  CHECK(desk->status().last_delivered);
}

TEST_CASE_METHOD(DeskBench, "Desk: a link is as its peer says, and connecting while it is dialled") {
  CHECK(desk->status().links.at(0).link.state == "down");
  link_state = "connecting";
  CHECK(desk->status().links.at(0).link.state == "connecting");
  CHECK(desk->status().links.at(1).link.state == "down");
  write([&](queue::Store& store) {
    store.book(store.link("dsl"), {.wire_up = 70, .wire_down = 30});
    return 0;
  });
  renew();
  const auto status = desk->status();
  CHECK(status.links.at(0).wire_up_today == 0);
  CHECK(status.links.at(1).link.name == "dsl");
  CHECK(status.links.at(1).wire_up_today == 70);
  CHECK(status.links.at(1).wire_down_today == 30);
}

TEST_CASE_METHOD(DeskBench, "Desk: why a class waits is the plan's word, and the operator's above it") {
  CHECK_FALSE(desk->status().links.at(0).plan);
  plan =
      PlanFigures{.name = "certus-100", .currency = "USD", .zone = "Asia/Almaty", .status = {}, .forecast = {}};
  plan->status.classes.resize(4);  // fewer than there are
  plan->status.classes[3] = {.open = false, .hold_reason = "held until tomorrow", .until = {}};
  auto status = desk->status();
  REQUIRE(status.links.at(0).plan);
  CHECK(status.links.at(0).plan->name == "certus-100");
  CHECK(status.links.at(0).plan->zone == "Asia/Almaty");
  CHECK_FALSE(status.links.at(1).plan);
  CHECK(class_of(status, "telemetry").hold_reason == "held until tomorrow");
  CHECK(class_of(status, "bulk").hold_reason.empty());
  REQUIRE(desk->pause("telemetry", true).has_value());
  status = desk->status();
  CHECK(class_of(status, "telemetry").paused);
  CHECK(class_of(status, "telemetry").hold_reason == "paused by the operator");
}

TEST_CASE_METHOD(DeskBench, "Desk: a store that cannot write is told at once, until it can again") {
  mesh.connected = true;
  CHECK(desk->unhealthy().empty());
  refuse("message");
  bool failed = false;
  const auto one = message(peers[0]->id(), "t", "x");
  station().runner().write([&](queue::Store& store) { return store.accept(std::span(&one, 1)); },
                           [&](const auto& result) { failed = !result; });
  REQUIRE(until([&] { return failed; }));
  CHECK_THAT(desk->unhealthy(), Contains("the store fails") && Contains("disk I/O error"));
  CHECK_FALSE(desk->status().store.ok);
  CHECK_THAT(desk->status().store.problem, Contains("disk I/O error"));
  relent();
  accept(one);
  CHECK(desk->unhealthy().empty());
  CHECK(desk->status().store.ok);
}

TEST_CASE_METHOD(DeskBench, "Desk: figures that cannot be read stay as they were, and are asked for again") {
  queue_for(*peers[0], "x");
  renew();
  queue_for(*peers[0], "y");
  hide_classes();
  renew();
  CHECK(desk->status().ledger.accepted == 1);
  CHECK(desk->next_wake());
  show_classes();
  CHECK(step_until([&] { return desk->status().ledger.accepted == 2; }));
}

TEST_CASE_METHOD(DeskBench, "Desk: a gateway is healthy while its mesh's broker is connected") {
  CHECK(desk->unhealthy() == "the mesh's broker is not connected");
  mesh.note = "refused";
  CHECK(desk->unhealthy() == "the mesh's broker is not connected: refused");
  mesh.connected = true;
  CHECK(desk->unhealthy().empty());
}

TEST_CASE_METHOD(RelayBench, "Desk: a relay has no mesh to be healthy by") { CHECK(desk->unhealthy().empty()); }

}  // namespace tulpar
