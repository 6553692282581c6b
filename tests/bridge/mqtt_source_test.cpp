// SPDX-License-Identifier: Apache-2.0
//
// The source against a scripted broker: the commit before the acknowledgement, and what does not count.
#include "bridge/mqtt_source.hpp"

#include "bridge/fingerprint.hpp"
#include "tests/bridge/fake_broker.hpp"
#include "tests/bridge/mqtt_loop.hpp"
#include "tests/catch.hpp"

namespace tulpar::bridge {
namespace {

using test::FakeBroker;
using test::run_until;

struct Fixture {
  boost::asio::io_context loop;
  FakeBroker broker{loop};
  std::vector<std::vector<MqttMessage>> groups;
  MqttSource::Done done;
  std::unique_ptr<MqttSource> source;
  bool store_at_once = true;

  void open(MqttSource::Options options) {
    source = std::make_unique<MqttSource>(loop, std::move(options),
                                          [this](std::vector<MqttMessage> group, MqttSource::Done group_done) {
                                            groups.push_back(std::move(group));
                                            done = std::move(group_done);
                                            if (store_at_once) done(true);
                                          });
    source->start();
    // CONNECT, then SUBSCRIBE.
    REQUIRE(run_until(loop, [&] { return !broker.seen(test::kSubscribe).empty(); }));
  }
  void open() { open(options()); }
  MqttSource::Options options() const {
    auto mqtt = broker.options();
    mqtt.session_expiry = kThirtyDays;
    mqtt.filters = {"msh/#", "mesh/+/sos"};
    return {.mqtt = std::move(mqtt)};
  }

  std::vector<std::string> payloads() const {
    std::vector<std::string> all;
    for (const auto& group : groups) {
      for (const auto& message : group) all.emplace_back(as_text(message.payload));
    }
    return all;
  }
  std::vector<int> acknowledged() const {
    std::vector<int> all;
    for (const auto& packet : broker.seen(test::kPuback)) all.push_back(packet.mid);
    return all;
  }
  void reconnect(bool resumed) {
    broker.on_connect = [this, resumed](const auto&) { broker.accept(resumed); };
    const auto subscribed = broker.seen(test::kSubscribe).size();
    broker.hang_up();
    REQUIRE(run_until(loop, [&] { return broker.seen(test::kSubscribe).size() > subscribed; }));
  }
};

using Mids = std::vector<int>;
using Texts = std::vector<std::string>;

TEST_CASE_METHOD(Fixture, "Source: a message arrives whole", "[source]") {
  open();
  broker.publish("msh/EU/2/e/LongFast/!1", std::string("a\0b", 3), 9);
  REQUIRE(run_until(loop, [&] { return !groups.empty(); }));
  const MqttMessage& message = groups[0][0];
  CHECK(message.topic == "msh/EU/2/e/LongFast/!1");
  CHECK(message.payload == Bytes{'a', 0, 'b'});
  CHECK(message.mid == 9);
  CHECK(message.qos == 1);
  CHECK_FALSE(message.retain);
  broker.publish("msh/a", "", 0);
  REQUIRE(run_until(loop, [&] { return groups.size() == 2; }));
  CHECK(groups[1][0].qos == 0);
  CHECK(groups[1][0].mid == 0);
  CHECK(groups[1][0].payload.empty());
}

TEST_CASE_METHOD(Fixture, "Source: no acknowledgement before the commit, nothing read meanwhile", "[source]") {
  store_at_once = false;
  open();
  for (int i = 1; i <= 3; ++i) broker.publish("msh/t", std::to_string(i), i);
  REQUIRE(run_until(loop, [&] { return !groups.empty(); }));
  const auto first = groups[0].size();
  for (int i = 4; i <= 6; ++i) broker.publish("msh/t", std::to_string(i), i);
  test::settle(loop);
  CHECK(groups.size() == 1);
  CHECK(acknowledged().empty());
  CHECK(source->status().messages == 0);

  std::exchange(done, nullptr)(true);
  REQUIRE(run_until(loop, [&] { return acknowledged().size() == first && groups.size() == 2; }));
  CHECK(source->status().messages == first);
  while (payloads().size() < 6) {
    std::exchange(done, nullptr)(true);
    REQUIRE(run_until(loop, [&] { return done != nullptr; }));
  }
  done(true);
  REQUIRE(run_until(loop, [&] { return acknowledged().size() == 6; }));
  CHECK(acknowledged() == Mids{1, 2, 3, 4, 5, 6});
  CHECK(payloads() == Texts{"1", "2", "3", "4", "5", "6"});
}

TEST_CASE_METHOD(Fixture, "Source: what could not be stored is never acknowledged and comes again",
                 "[source]") {
  store_at_once = false;
  open();
  broker.publish("msh/t", "one", 1);
  REQUIRE(run_until(loop, [&] { return !groups.empty(); }));
  broker.on_connect = [this](const auto&) {
    broker.accept(true);
    broker.publish("msh/t", "one", 1);
  };
  done(false);
  CHECK_FALSE(source->status().connected);
  CHECK_THAT(source->status().note, Contains("cannot be stored"));
  REQUIRE(run_until(loop, [&] { return groups.size() == 2; }));
  CHECK(acknowledged().empty());
  CHECK(broker.seen(test::kDisconnect).empty());
  done(true);
  REQUIRE(run_until(loop, [&] { return !acknowledged().empty(); }));
  CHECK_THAT(source->status().note, !Contains("cannot be stored"));
  CHECK(source->status().copies == 0);
}

TEST_CASE_METHOD(Fixture, "Source: a group that is under way when the connection is lost counts once",
                 "[source]") {
  store_at_once = false;
  open();
  broker.publish("msh/t", "one", 1);
  REQUIRE(run_until(loop, [&] { return !groups.empty(); }));
  broker.on_connect = [this](const auto&) {
    broker.accept(true);
    broker.publish("msh/t", "one", 1);
    broker.publish("msh/t", "two", 2);
  };
  broker.hang_up();
  test::settle(loop);
  done(true);
  REQUIRE(run_until(loop, [&] { return groups.size() == 2; }));
  CHECK(payloads() == Texts{"one", "two"});
  CHECK(source->status().copies == 1);
}

TEST_CASE_METHOD(Fixture, "Source: what a vanishing broker had sent before is not lost", "[source]") {
  open();
  // No session is kept and no acknowledgement can arrive: who does not take these now never sees them again.
  broker.publish("msh/t", "qos 0", 0);
  broker.publish("msh/t", "qos 1", 1);
  broker.hang_up();
  REQUIRE(run_until(loop, [&] { return payloads().size() == 2; }));
}

TEST_CASE_METHOD(Fixture, "Source: redelivered copies are acknowledged, not stored twice", "[source]") {
  open();
  broker.publish("msh/t", "one", 1);
  broker.publish("msh/t", "one", 2);  // the same once more is news
  REQUIRE(run_until(loop, [&] { return acknowledged().size() == 2; }));
  reconnect(true);
  broker.publish("msh/t", "one", 1);
  broker.publish("msh/t", "one", 2);
  broker.publish("msh/t", "one", 3);
  REQUIRE(run_until(loop, [&] { return acknowledged().size() == 5; }));
  CHECK(payloads() == Texts{"one", "one", "one"});
  CHECK(source->status().copies == 2);
  CHECK(source->status().messages == 3);
}

TEST_CASE_METHOD(Fixture, "Source: with a new session the same identifiers are news, and the loss is told",
                 "[source]") {
  open();
  broker.publish("msh/t", "one", 1);
  REQUIRE(run_until(loop, [&] { return acknowledged().size() == 1; }));
  reconnect(false);
  broker.publish("msh/t", "one", 1);
  REQUIRE(run_until(loop, [&] { return acknowledged().size() == 2; }));
  CHECK(payloads() == Texts{"one", "one"});
  CHECK_THAT(source->status().note, Contains("forgot our session"));
}

TEST_CASE_METHOD(Fixture, "Source: marks of an earlier life are honoured", "[source]") {
  auto mine = options();
  mine.stored = {{5, fingerprint("msh/t", as_bytes("x"))}};
  broker.on_connect = [this](const auto&) { broker.accept(true); };
  open(mine);
  broker.publish("msh/t", "x", 5);
  broker.publish("msh/t", "x", 6);
  REQUIRE(run_until(loop, [&] { return acknowledged().size() == 2; }));
  CHECK(payloads() == Texts{"x"});
  CHECK(groups[0][0].mid == 6);
}

TEST_CASE_METHOD(Fixture, "Source: no loops: what a Tulpar published is left alone", "[source]") {
  open();
  broker.publish("msh/t", "ours", 1, "0000000000000001-7");
  broker.publish("msh/t", "also", 2, "-");
  broker.publish("msh/t", "theirs", 3);
  REQUIRE(run_until(loop, [&] { return acknowledged().size() == 3; }));
  CHECK(payloads() == Texts{"theirs"});
  CHECK(source->status().echoes == 2);
}

TEST_CASE_METHOD(Fixture, "Source: topics that nobody asked for, or that are the broker's", "[source]") {
  open();
  broker.publish("other/t", "1", 1);
  broker.publish("$SYS/broker/uptime", "2", 2);
  broker.publish("mesh/a/sos", "3", 3);
  broker.publish("mesh/a/b/sos", "4", 4);
  broker.publish("msh", "5", 5);
  REQUIRE(run_until(loop, [&] { return acknowledged().size() == 5; }));
  CHECK(payloads() == Texts{"3", "5"});
  CHECK(source->status().unwanted == 3);
}

TEST_CASE_METHOD(Fixture, "Source: retained messages count when new", "[source]") {
  open();
  broker.publish("msh/a", "first", 1, "", true);
  broker.publish("msh/b", "live", 2);
  REQUIRE(run_until(loop, [&] { return acknowledged().size() == 2; }));
  reconnect(false);
  broker.publish("msh/a", "first", 1, "", true);
  broker.publish("msh/b", "live", 2, "", true);
  broker.publish("msh/a", "second", 3, "", true);
  broker.publish("msh/b", "live", 4);
  REQUIRE(run_until(loop, [&] { return acknowledged().size() == 6; }));
  CHECK(payloads() == Texts{"first", "live", "second", "live"});
  CHECK(source->status().old_retained == 2);
}

TEST_CASE_METHOD(Fixture, "Source: a retained message that could not be stored is new still", "[source]") {
  store_at_once = false;
  open();
  broker.publish("msh/a", "news", 1, "", true);
  REQUIRE(run_until(loop, [&] { return groups.size() == 1; }));
  broker.on_connect = [this](const auto&) {
    broker.accept(true);
    broker.publish("msh/a", "news", 1, "", true);
  };
  done(false);
  REQUIRE(run_until(loop, [&] { return groups.size() == 2; }));
}

TEST_CASE_METHOD(Fixture, "Source: a group is bounded in bytes and messages", "[source]") {
  store_at_once = false;
  open();
  std::size_t all = 0;
  SECTION("bytes: it ends with the message that reaches a mebibyte") {
    all = 6;
    for (std::size_t i = 1; i <= all; ++i)
      broker.publish("msh/t", std::string(300'000, 'x'), static_cast<int>(i));
  }
  SECTION("messages") {
    all = 2500;
    for (std::size_t i = 1; i <= all; ++i) broker.publish("msh/t", "x", 0);
  }
  for (std::size_t total = 0; total < all;) {
    REQUIRE(run_until(loop, [&] { return done != nullptr; }));
    std::size_t bytes = 0;
    for (const auto& message : groups.back()) bytes += message.topic.size() + message.payload.size();
    CHECK(bytes < MqttConnection::kGroupBytes + 300'006);
    CHECK(groups.back().size() <= MqttConnection::kGroupMessages);
    total += groups.back().size();
    std::exchange(done, nullptr)(true);
  }
}

TEST_CASE_METHOD(Fixture, "Source: done once, and none after the end", "[source]") {
  store_at_once = false;
  open();
  broker.publish("msh/t", "one", 1);
  REQUIRE(run_until(loop, [&] { return !groups.empty(); }));
  SECTION("a second answer changes nothing") {
    done(true);
    done(false);
    CHECK(source->status().connected);
    CHECK(source->status().messages == 1);
  }
  SECTION("stopped with a group under way: the broker keeps it") {
    source->stop();
    done(true);
    test::settle(loop);
    CHECK(acknowledged().empty());
    CHECK(broker.connections() == 1);
  }
  SECTION("destroyed with a group under way") {
    source.reset();
    done(true);
    test::settle(loop);
    CHECK(acknowledged().empty());
  }
}

TEST_CASE_METHOD(Fixture, "Source: the status says what is not guaranteed", "[source]") {
  auto mine = options();
  SECTION("a foreign broker") {
    open(mine);
    CHECK_FALSE(source->status().durable);
    CHECK_THAT(source->status().note, Contains("QoS 0"));
  }
  SECTION("our own") {
    mine.managed = true;
    open(mine);
    CHECK(source->status().durable);
    CHECK(source->status().note.empty());
  }
  SECTION("an old one") {
    broker.on_connect = [this](const auto& packet) {
      packet.version == 5 ? broker.refuse(1) : broker.accept();
    };
    open(mine);
    CHECK_THAT(source->status().note, Contains("3.1.1"));
  }
}

TEST_CASE("Source options: from either configuration", "[source]") {
  config::Mqtt mqtt;
  mqtt.host = "broker.example.org";
  mqtt.username = "u";
  mqtt.tls.enabled = true;
  const auto mesh = source_options(mqtt, "id");
  CHECK(mesh.host == "broker.example.org");
  CHECK(mesh.username == "u");
  CHECK(mesh.tls.enabled);
  CHECK(mesh.filters == mqtt.topics);
  CHECK(mesh.session_expiry == kThirtyDays);
  const auto relay = source_options(config::Source{}, "id", {"down/+/#"});
  CHECK(relay.filters == std::vector<std::string>{"down/+/#"});
  CHECK(relay.client_id == "id");
}

}  // namespace
}  // namespace tulpar::bridge
