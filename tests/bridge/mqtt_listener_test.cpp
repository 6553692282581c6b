// SPDX-License-Identifier: Apache-2.0
#include "bridge/mqtt_listener.hpp"

#include "tests/bridge/fake_broker.hpp"
#include "tests/bridge/mqtt_loop.hpp"
#include "tests/catch.hpp"

namespace tulpar::bridge {
namespace {

struct Fixture {
  boost::asio::io_context loop;
  test::FakeBroker broker{loop};
  std::vector<std::string> heard;
  std::optional<MqttListener> listener;

  Fixture() {
    auto options = broker.options("tulpar-roof");
    options.filters = {"mesh/#"};
    options.session_expiry = kThirtyDays;
    broker.grant = 0;
    listener.emplace(loop, options, [this](MqttMessage message) { heard.push_back(message.topic); });
    REQUIRE(test::run_until(loop, [&] { return !broker.seen(test::kSubscribe).empty(); }));
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture,
                 "Listener: hears at QoS 0 under a name of its own, keeps no session, acknowledges nothing",
                 "[mqtt]") {
  CHECK((broker.seen(test::kSubscribe).front().body.back() & 3) == 0);
  CHECK(broker.seen(test::kConnect).front().clean_start);
  broker.publish("mesh/a", "one", 0);
  broker.publish("mesh/b", "two", 0);
  REQUIRE(test::run_until(loop, [&] { return heard.size() == 2; }));
  test::settle(loop);
  CHECK(broker.seen(test::kPuback).empty());
}

TEST_CASE_METHOD(
    Fixture, "Listener: leaves out what a Tulpar published, what was retained, and what is the broker's own",
    "[mqtt]") {
  broker.publish("mesh/own", "one", 0, "id");
  broker.publish("mesh/old", "two", 0, "", true);
  broker.publish("$SYS/broker", "three", 0);
  broker.publish("mesh/new", "four", 0);
  REQUIRE(test::run_until(loop, [&] { return !heard.empty(); }));
  CHECK(heard == std::vector<std::string>{"mesh/new"});
}

}  // namespace tulpar::bridge
