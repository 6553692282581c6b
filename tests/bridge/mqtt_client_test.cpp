// SPDX-License-Identifier: Apache-2.0
//
// The client against a scripted broker: versions, refusals, coming back, and what leaves while it is held.
#include "bridge/mqtt_client.hpp"

#include <boost/asio/ip/tcp.hpp>

#include "tests/bridge/fake_broker.hpp"
#include "tests/bridge/mqtt_loop.hpp"
#include "tests/catch.hpp"

namespace tulpar::bridge {
namespace {

using test::FakeBroker;
using test::run_until;

struct Recorder : MqttClient::Handler {
  void on_connected(const MqttSession& session) override { sessions.push_back(session); }
  void on_disconnected() override { ++lost; }
  void on_messages(std::vector<MqttMessage> group) override {
    for (auto& message : group) messages.push_back(std::move(message));
    if (at_message) at_message();
  }
  void on_acks(const std::vector<MqttAck>& acks) override {
    answers.insert(answers.end(), acks.begin(), acks.end());
  }
  std::vector<MqttSession> sessions;
  std::vector<MqttMessage> messages;
  std::vector<MqttAck> answers;
  std::function<void()> at_message;
  int lost = 0;
};

struct Fixture {
  boost::asio::io_context loop;
  FakeBroker broker{loop};
  Recorder recorder;
  std::unique_ptr<MqttClient> client;

  MqttClient& connect(MqttOptions options) {
    client = std::make_unique<MqttClient>(loop, std::move(options), recorder);
    client->start();
    return *client;
  }
  MqttClient& connect() { return connect(broker.options()); }
};

TEST_CASE_METHOD(Fixture, "Client: MQTT 5, and what the broker grants", "[mqtt]") {
  // Receive maximum 7, maximum packet size 4096, maximum QoS 1.
  broker.on_connect = [this](const auto&) { broker.accept(true, {0x21, 0, 7, 0x27, 0, 0, 0x10, 0, 0x24, 1}); };
  connect();
  REQUIRE(run_until(loop, [&] { return !recorder.sessions.empty(); }));
  const MqttSession& session = recorder.sessions[0];
  CHECK(session.v5);
  CHECK(session.resumed);
  CHECK(session.receive_maximum == 7);
  CHECK(session.max_packet == 4096);
  CHECK(session.max_qos == 1);
  CHECK(client->status().connected);
  CHECK(client->status().problem.empty());
  CHECK(broker.seen(test::kConnect)[0].clean_start);
}

TEST_CASE_METHOD(Fixture, "Client: a session to be kept is asked for, with its expiry", "[mqtt]") {
  auto options = broker.options();
  options.session_expiry = kThirtyDays;
  options.filters = {"msh/#"};
  connect(options);
  REQUIRE(run_until(loop, [&] { return !broker.seen(test::kSubscribe).empty(); }));
  const auto connects = broker.seen(test::kConnect);
  CHECK_FALSE(connects[0].clean_start);
  // Session expiry interval (0x11), 2,592,000 s.
  const Bytes expiry{0x11, 0x00, 0x27, 0x8d, 0x00};
  CHECK(std::search(connects[0].body.begin(), connects[0].body.end(), expiry.begin(), expiry.end()) !=
        connects[0].body.end());
  // QoS 1, retained ones only for a new subscription.
  CHECK(broker.seen(test::kSubscribe)[0].body.back() == 0x11);
}

TEST_CASE_METHOD(Fixture, "Client: a broker that refuses MQTT 5 gets 3.1.1 at once", "[mqtt]") {
  broker.on_connect = [this](const auto& packet) { packet.version == 5 ? broker.refuse(1) : broker.accept(); };
  connect();
  REQUIRE(run_until(loop, [&] { return client->status().connected; }));
  CHECK_FALSE(client->status().v5);
  CHECK(broker.connections() == 2);
  // The next time it may have learnt it.
  broker.on_connect = [this](const auto&) { broker.accept(); };
  broker.hang_up();
  REQUIRE(run_until(loop, [&] { return recorder.sessions.size() == 2; }));
  CHECK(client->status().v5);
}

TEST_CASE_METHOD(Fixture, "Client: one that hangs up silently on MQTT 5 is asked twice before it is believed",
                 "[mqtt]") {
  broker.on_connect = [this](const auto& packet) { packet.version == 5 ? broker.hang_up() : broker.accept(); };
  connect();
  REQUIRE(run_until(loop, [&] { return client->status().connected; }));
  CHECK_FALSE(client->status().v5);
  std::vector<int> versions;
  for (const auto& packet : broker.seen(test::kConnect)) versions.push_back(packet.version);
  CHECK(versions == std::vector<int>{5, 4, 5, 4});
}

TEST_CASE_METHOD(Fixture, "Client: a proxy before a broker that was down is not taken for an old broker",
                 "[mqtt]") {
  int refused = 0;
  broker.on_connect = [&](const auto&) { refused++ < 1 ? broker.hang_up() : broker.accept(); };
  connect();
  REQUIRE(run_until(loop, [&] { return client->status().connected; }));
  CHECK(client->status().v5);
  CHECK(recorder.sessions.size() == 1);
}

TEST_CASE_METHOD(Fixture, "Client: refusals are told in the broker's words", "[mqtt]") {
  broker.on_connect = [this](const auto&) { broker.refuse(0x87); };
  connect();
  REQUIRE(run_until(loop, [&] { return !client->status().problem.empty(); }));
  CHECK(client->status().problem == "the broker refuses: Not authorized");
  CHECK(recorder.lost == 0);
  broker.on_connect = [this](const auto&) { broker.accept(); };
  REQUIRE(run_until(loop, [&] { return client->status().connected; }));
}

TEST_CASE_METHOD(Fixture, "Client: a subscription that is refused stands in the status", "[mqtt]") {
  auto options = broker.options();
  options.filters = {"msh/#"};
  broker.grant = 0x87;
  connect(options);
  REQUIRE(run_until(loop, [&] { return !client->status().problem.empty(); }));
  CHECK(client->status().connected);
  CHECK(client->status().problem == "the broker refuses the subscription \"msh/#\"");
}

TEST_CASE_METHOD(Fixture, "Client: the broker's goodbye is told, and it comes back", "[mqtt]") {
  connect();
  REQUIRE(run_until(loop, [&] { return client->status().connected; }));
  broker.say_goodbye(0x8e);
  REQUIRE(run_until(loop, [&] { return recorder.lost == 1; }));
  CHECK(client->status().problem == "the broker hangs up: Session taken over");
  REQUIRE(run_until(loop, [&] { return recorder.sessions.size() == 2; }));
}

TEST_CASE_METHOD(Fixture, "Client: nobody there, a name that does not exist, a file that is not there",
                 "[mqtt]") {
  auto options = broker.options();
  std::string expected;
  SECTION("a port without a broker") {
    boost::asio::ip::tcp::acceptor reserved(loop, {boost::asio::ip::address_v4::loopback(), 0});
    options.host = "127.0.0.1";
    options.port = reserved.local_endpoint().port();
    reserved.close();
    expected = "Connection refused";
  }
  SECTION("a name that does not exist") {
    // RFC 2606 keeps it from existing; without a network the resolver says so in other words.
    options.host = "broker.invalid";
    options.port = 1883;
    expected = "cannot resolve \"broker.invalid\"";
  }
  SECTION("a socket that is not there") {
    options.host = "/nonexistent/tulpar.sock";
    expected = "No such file";
  }
  SECTION("TLS with a file that is not there") {
    options.tls.enabled = true;
    options.tls.ca = "/nonexistent/ca.pem";
    expected = "/nonexistent/ca.pem";
  }
  SECTION("TLS to a broker that does not speak it") {
    options.tls.enabled = true;
    broker.on_connect = [this](const auto&) { broker.hang_up(); };
    expected = "";
  }
  connect(options);
  if (expected.empty()) {
    REQUIRE(run_until(loop, [&] { return broker.connections() > 0; }));
    CHECK_FALSE(client->status().connected);
  } else {
    REQUIRE(run_until(loop, [&] { return !client->status().problem.empty(); }));
    CHECK_THAT(client->status().problem, Contains(expected));
  }
}

TEST_CASE_METHOD(Fixture, "Client: publishes with its mark, and hears the answer", "[mqtt]") {
  connect();
  REQUIRE(run_until(loop, [&] { return client->status().connected; }));
  broker.on_publish = [this](const auto& packet) { broker.acknowledge(packet.mid, 0x97); };
  const Bytes payload{'h', 'i'};
  const auto packet = client->publish("a/b", payload, "0000000000000001-2");
  REQUIRE(packet.has_value());
  REQUIRE(run_until(loop, [&] { return !recorder.answers.empty(); }));
  CHECK(recorder.answers[0].packet == *packet);
  CHECK(recorder.answers[0].reason == 0x97);
  const auto seen = broker.seen(test::kPublish);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].topic == "a/b");
  CHECK(seen[0].payload == "hi");
  CHECK(seen[0].tulpar_id == "0000000000000001-2");
}

TEST_CASE_METHOD(Fixture, "Client: what was unacknowledged is not sent again behind our back", "[mqtt]") {
  connect();
  REQUIRE(run_until(loop, [&] { return client->status().connected; }));
  broker.on_publish = [this](const auto&) { broker.hang_up(); };
  REQUIRE(client->publish("a", Bytes{1}, "id").has_value());
  REQUIRE(run_until(loop, [&] { return recorder.sessions.size() == 2; }));
  broker.on_publish = [this](const auto& packet) { broker.acknowledge(packet.mid); };
  REQUIRE(client->publish("b", Bytes{1}, "id").has_value());
  REQUIRE(run_until(loop, [&] { return !recorder.answers.empty(); }));
  CHECK(broker.seen(test::kPublish).size() == 2);
}

TEST_CASE_METHOD(Fixture, "Client: held it neither reads nor writes; then it writes first", "[mqtt]") {
  connect();
  REQUIRE(run_until(loop, [&] { return client->status().connected; }));
  recorder.at_message = [this] { client->hold(); };
  broker.publish("t", "one", 1);
  REQUIRE(run_until(loop, [&] { return recorder.messages.size() == 1; }));
  broker.publish("t", "two", 2);
  REQUIRE(client->publish("mine", Bytes{1}, "id").has_value());
  test::settle(loop);
  CHECK(recorder.messages.size() == 1);
  CHECK(broker.seen(test::kPuback).empty());
  CHECK(broker.seen(test::kPublish).empty());

  client->resume();
  REQUIRE(run_until(loop, [&] { return recorder.messages.size() == 2; }));
  test::settle(loop);
  // Held again: the first is acknowledged, the second not.
  REQUIRE(broker.seen(test::kPuback).size() == 1);
  CHECK(broker.seen(test::kPuback)[0].mid == 1);
  CHECK(broker.seen(test::kPublish).size() == 1);
}

TEST_CASE_METHOD(Fixture, "Client: dropped it writes nothing more, and comes back", "[mqtt]") {
  connect();
  REQUIRE(run_until(loop, [&] { return client->status().connected; }));
  recorder.at_message = [this] { client->drop("because"); };
  broker.publish("t", "one", 1);
  REQUIRE(run_until(loop, [&] { return recorder.lost == 1; }));
  CHECK(client->status().problem == "because");
  recorder.at_message = nullptr;
  REQUIRE(run_until(loop, [&] { return recorder.sessions.size() == 2; }));
  CHECK(broker.seen(test::kPuback).empty());
  CHECK(broker.seen(test::kDisconnect).empty());
}

TEST_CASE("Client: while held no new connection is made", "[mqtt]") {
  boost::asio::io_context loop;
  Recorder recorder;
  auto broker = std::make_unique<FakeBroker>(loop);
  MqttClient client(loop, broker->options(), recorder);
  client.start();
  REQUIRE(run_until(loop, [&] { return client.status().connected; }));
  broker.reset();
  client.hold();
  client.drop("gone");
  // Ends when nothing is left to wait for: its timer has fired, and no attempt is under way.
  loop.restart();
  loop.run();
  CHECK(client.status().attempts == 0);
  client.resume();
  CHECK(client.status().attempts == 1);
}

TEST_CASE_METHOD(Fixture, "Client: stopped it says goodbye and stays away", "[mqtt]") {
  connect();
  REQUIRE(run_until(loop, [&] { return client->status().connected; }));
  client->stop();
  REQUIRE(run_until(loop, [&] { return !broker.seen(test::kDisconnect).empty(); }));
  CHECK_FALSE(client->status().connected);
  CHECK(recorder.lost == 0);
  test::settle(loop);
  CHECK(broker.connections() == 1);
}

TEST_CASE_METHOD(Fixture, "Client: destroyed in any state it leaves nothing behind", "[mqtt]") {
  connect();
  SECTION("connecting") {}
  SECTION("connected") {
    REQUIRE(run_until(loop, [&] { return client->status().connected; }));
  }
  SECTION("waiting to come back") {
    REQUIRE(run_until(loop, [&] { return client->status().connected; }));
    broker.hang_up();
    REQUIRE(run_until(loop, [&] { return recorder.lost == 1; }));
  }
  client.reset();
  test::settle(loop);
  CHECK(recorder.sessions.size() <= 1);
}

}  // namespace
}  // namespace tulpar::bridge
