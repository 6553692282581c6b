// SPDX-License-Identifier: Apache-2.0
//
// What the operator asks of the desk, and every way in which it says no.
#include "gateway/desk.hpp"
#include "tests/gateway/desk_bench.hpp"

namespace tulpar {
namespace {

struct Fixture : DeskBench {
  web::Outcome<web::MessageView> story(queue::MessageId id) {
    return answer<web::MessageView>([&](auto done) { desk->story(id, done); });
  }
  web::Outcome<std::vector<web::MessageView>> messages(const queue::StoryFilter& filter) {
    return answer<std::vector<web::MessageView>>([&](auto done) { desk->messages(filter, done); });
  }
  web::Outcome<queue::MessageId> send(const std::string& topic, Bytes payload, const std::string& cls = "") {
    return answer<queue::MessageId>([&](auto done) { desk->send({topic, payload, cls}, done); });
  }
  web::Outcome<queue::MessageId> send(const std::string& topic) { return send(topic, test::to_bytes("x")); }
  web::Outcome<void> drop(queue::MessageId id) {
    return answer<void>([&](auto done) { desk->drop(id, done); });
  }
  web::Outcome<void> reclassify(queue::MessageId id, const std::string& cls) {
    return answer<void>([&](auto done) { desk->reclassify(id, cls, done); });
  }
  std::int64_t state(queue::MessageId id) {
    return query("SELECT state FROM message WHERE id = " + std::to_string(id));
  }
  bool ends_as(queue::MessageId id, queue::State wanted) {
    return until([&] { return state(id) == static_cast<std::int64_t>(wanted); });
  }
  std::vector<bool> paused(queue::ClassId cls) {
    std::vector<bool> all;
    for (const auto& peer : peers) all.push_back(peer->scheduler().state(cls).paused);
    return all;
  }
};

using Both = std::vector<bool>;

}  // namespace

TEST_CASE_METHOD(Fixture, "Desk: a message's story names its way and its age") {
  const auto id = queue_for(*peers[1], "hello", 1).id;
  const auto view = story(id).value();
  CHECK(view.story.id == id);
  CHECK(view.story.cls == "message");
  CHECK(view.story.peer == "relay-2");
  CHECK(view.link == "dsl");
  if (station().clock().trusted()) {
    REQUIRE(view.age);
    CHECK(*view.age >= Millis{0});
  }
  const auto down = accept(message(queue::kEdge, "down", "x")).entry.id;
  CHECK(story(down).value().link.empty());
  CHECK(failure(story(4711)) == "not found: there is no message 4711");
}

TEST_CASE_METHOD(Fixture, "Desk: messages are listed as the store filters them") {
  queue_for(*peers[0], "one", 1);
  queue_for(*peers[1], "two", 2);
  queue_for(*peers[1], "three", 1);
  queue::StoryFilter filter;
  filter.cls = "message";
  const auto found = messages(filter).value();
  REQUIRE(found.size() == 2);
  CHECK(found[0].link == "dsl");
  CHECK(found[1].link == "sat");
  filter.state = queue::State::kDropped;
  CHECK(messages(filter).value().empty());
}

TEST_CASE_METHOD(Fixture, "Desk: a disk that cannot be read is unavailable, not a silence") {
  const auto id = queue_for(*peers[0], "x").id;
  hide_classes();
  CHECK_THAT(failure(messages({})), StartsWith("unavailable: "));
  CHECK_THAT(failure(story(id)), StartsWith("unavailable: "));
  CHECK_THAT(failure(drop(4711)), StartsWith("unavailable: "));
  const auto rows =
      answer<std::vector<queue::UsageRow>>([&](auto done) { desk->usage(web::UsageQuery{.to = 1}, done); });
  CHECK_THAT(failure(rows), StartsWith("unavailable: "));
}

TEST_CASE_METHOD(Fixture, "Desk: what the operator sends is stored before it is answered, then handed over") {
  const auto id = send("mesh").value();
  CHECK(query("SELECT count(*) FROM message WHERE topic = 'to/mesh'") == 1);
  CHECK(handed == std::vector{id});
  CHECK(handed_to == std::vector{peers[0]->id()});
  const auto sent = story(id).value().story;
  CHECK(sent.cls == "normal");
  CHECK(sent.peer == "relay");
  CHECK(sent.node == "mesh");  // its topic's second level

  const auto sos = send("x", test::to_bytes("help"), "emergency").value();
  CHECK(story(sos).value().story.cls == "emergency");
}

TEST_CASE_METHOD(Fixture,
                 "Desk: whom no topic level names is the operator; what policy keeps here goes if he says so") {
  const auto id = send("", mesh_packet(1, 6)).value();
  CHECK(story(id).value().story.node == "operator");
  CHECK(query("SELECT count(*) FROM drops") == 0);
}

TEST_CASE_METHOD(Fixture, "Desk: what cannot be sent is refused with its reason, and nothing is handed over") {
  CHECK(failure(send("nowhere")) == "invalid: no gateway is named so");
  refuse("message");
  CHECK_THAT(failure(send("mesh")), StartsWith("unavailable: ") && Contains("disk I/O error"));
  CHECK(handed.empty());
  relent();
  CHECK(send("mesh").has_value());
}

TEST_CASE_METHOD(Fixture, "Desk: a packet that went before is a copy") {
  const std::string topic = "2/e/LongFast/!0000beef";
  const auto packet = mesh_packet(77);
  CHECK(send(topic, packet).has_value());
  CHECK_THAT(failure(send(topic, packet)), StartsWith("conflict: ") && Contains("copy"));
  CHECK(handed.size() == 1);
}

TEST_CASE_METHOD(Fixture, "Desk: what waits at any link can be dropped, counted with its reason") {
  const auto first = queue_for(*peers[0], "x", 1).id, second = queue_for(*peers[1], "y", 1).id;
  renew();
  CHECK(drop(second).has_value());
  CHECK(ends_as(second, queue::State::kDropped));
  CHECK(query("SELECT count FROM drops WHERE reason = 1") == 1);
  CHECK(state(first) == 0);
  CHECK(step_until([&] { return desk->status().ledger.dropped == 1; }));
  CHECK(failure(drop(second)) == "conflict: message 2 is dropped: only what waits can be changed");
  CHECK(failure(drop(4711)) == "not found: there is no message 4711");
}

TEST_CASE_METHOD(Fixture, "Desk: what waits can change its class") {
  const auto id = queue_for(*peers[1], "x", 4).id;
  CHECK(reclassify(id, "emergency").has_value());
  CHECK(peers[1]->scheduler().state(queue::kEmergency).queued == 1);
  CHECK(until([&] { return story(id).value().story.cls == "emergency"; }));
  CHECK(failure(reclassify(4711, "bulk")) == "not found: there is no message 4711");
}

TEST_CASE_METHOD(Fixture, "Desk: what is under way, or owed to a broker here, stays as it is") {
  const auto id = accept(message(peers[0]->id(), "t", "x")).entry.id;
  write([&](queue::Store& store) {
    store.mark_in_flight(std::span(&id, 1), 1);
    return 0;
  });
  CHECK(failure(drop(id)) == "conflict: message 1 is in-flight: only what waits can be changed");
  CHECK_THAT(failure(reclassify(id, "bulk")), StartsWith("conflict: "));
  const auto down = accept(message(queue::kEdge, "down", "x")).entry.id;
  CHECK(failure(drop(down)) ==
        "conflict: message 2 is on its way to a broker here: only what waits can be changed");
}

TEST_CASE_METHOD(Fixture, "Desk: a class is paused at every peer, also one that comes later") {
  CHECK(paused(4) == Both{false, false});
  CHECK(desk->pause("bulk", true).has_value());
  CHECK(paused(4) == Both{true, true});
  CHECK(paused(2) == Both{false, false});
  CHECK(renewals == 1);  // those who look see it at once
  peers.push_back(load_peer("relay-3", "hf"));
  desk->joined(*peers.back());
  CHECK(paused(4) == Both{true, true, true});
  CHECK(paused(2) == Both{false, false, false});
  CHECK(desk->pause("bulk", false).has_value());
  CHECK(paused(4) == Both{false, false, false});
  CHECK(failure(desk->pause("urgent", true)) == "not found: there is no class `urgent`");
  CHECK_THAT(failure(desk->pause("emergency", true)), StartsWith("conflict: ") && Contains("SOS"));
  CHECK(paused(queue::kEmergency) == Both{false, false, false});
}

TEST_CASE_METHOD(Fixture, "Desk: usage is the ledger's") {
  write([](queue::Store& store) {
    store.book(store.link("sat"), {.wire_up = 70, .wire_down = 30});
    return 0;
  });
  const auto usage = [&](const std::string& by) {
    return answer<std::vector<queue::UsageRow>>(
               [&](auto done) { desk->usage({.resolution = 300, .from = 0, .to = 1LL << 40, .by = by}, done); })
        .value();
  };
  // Without a believable clock it is not dated yet.
  if (!station().clock().trusted()) return;
  REQUIRE(usage("link").size() == 1);
  CHECK(usage("link")[0].label == "sat");
  CHECK(usage("link")[0].usage.wire_up == 70);
  CHECK(usage("class").size() == 1);
}

}  // namespace tulpar
