// SPDX-License-Identifier: Apache-2.0
//
// Source and sink with a real mosquitto: what its sessions and ours promise each other.
#include <signal.h>

#include <algorithm>
#include <boost/asio/post.hpp>

#include "bridge/mqtt_sink.hpp"
#include "bridge/mqtt_source.hpp"
#include "queue/store_runner.hpp"
#include "tests/bridge/mqtt_loop.hpp"
#include "tests/bridge/real_broker.hpp"

namespace tulpar::bridge {
namespace {

using test::PlainClient;
using test::RealBroker;
using test::run_until;

struct Source {
  Source(boost::asio::io_context& loop, MqttOptions options, bool answer = true,
         std::vector<Redelivery::Mark> stored = {})
      : source(loop, {.mqtt = std::move(options), .stored = std::move(stored)},
               [this, answer](std::vector<MqttMessage> group, MqttSource::Done group_done) {
                 for (const auto& message : group) {
                   payloads.emplace_back(as_text(message.payload));
                   marks.push_back({message.mid, message.fingerprint});
                 }
                 answer ? group_done(true) : void(done = std::move(group_done));
               }) {
    source.start();
  }
  std::vector<std::string> payloads;
  std::vector<Redelivery::Mark> marks;
  MqttSource::Done done;
  MqttSource source;
};

MqttOptions mesh(const RealBroker& broker) {
  auto options = broker.options("tulpar-test");
  options.session_expiry = kThirtyDays;
  options.filters = {"msh/#"};
  return options;
}

using Texts = std::vector<std::string>;

TEST_CASE("Live: what was handed over and not committed, the broker delivers again", "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  RealBroker broker;
  boost::asio::io_context loop;
  PlainClient node("127.0.0.1", broker.port(), "node");
  {
    Source first(loop, mesh(broker), false);
    REQUIRE(run_until(loop, [&] { return first.source.status().connected; }));
    // CONNACK is here; that the subscription is, too, shows a message.
    node.publish("msh/t", "subscribed", 1, true);
    REQUIRE(run_until(loop, [&] { return !first.payloads.empty(); }));
    first.done(true);
    for (const char* text : {"one", "two", "three"}) node.publish("msh/t", text, 1);
    REQUIRE(run_until(loop, [&] { return first.payloads.size() >= 2; }));
    // As if killed: with a group in memory that is not on disk.
  }
  Source second(loop, mesh(broker));
  REQUIRE(run_until(loop, [&] { return second.payloads.size() == 3; }));
  CHECK(second.payloads == Texts{"one", "two", "three"});
  CHECK(second.source.status().copies == 0);
}

TEST_CASE("Live: what was committed and whose acknowledgement was lost is recognised by its mark", "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  RealBroker broker;
  boost::asio::io_context loop;
  PlainClient node("127.0.0.1", broker.port(), "node");
  std::vector<Redelivery::Mark> stored;
  {
    Source first(loop, mesh(broker), false);
    node.publish("msh/t", "retained", 1, true);
    REQUIRE(run_until(loop, [&] { return !first.marks.empty(); }));
    stored = first.marks;
  }
  node.publish("msh/t", "next", 1);
  Source second(loop, mesh(broker), true, stored);
  REQUIRE(run_until(loop, [&] { return !second.payloads.empty(); }));
  CHECK(second.payloads == Texts{"next"});
  CHECK(second.source.status().copies == 1);
}

TEST_CASE("Live: the session keeps what is published while we are away, and we come back after its restart",
          "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  RealBroker broker;
  boost::asio::io_context loop;
  Source source(loop, mesh(broker));
  {
    PlainClient node("127.0.0.1", broker.port(), "node");
    node.publish("msh/t", "before", 1, true);
    REQUIRE(run_until(loop, [&] { return source.payloads.size() == 1; }));
  }
  broker.end(SIGTERM);
  REQUIRE(run_until(loop, [&] { return !source.source.status().connected; }));
  broker.start();
  // The node is back before us: our loop does not run meanwhile.
  PlainClient node("127.0.0.1", broker.port(), "node");
  node.publish("msh/t", "meanwhile", 1);
  REQUIRE(run_until(loop, [&] { return source.payloads.size() == 2; }));
  // The retained one was not sent again with the subscription, which is the session's.
  CHECK(source.payloads == Texts{"before", "meanwhile"});
  CHECK(source.source.status().old_retained == 0);
}

TEST_CASE("Live: stopped politely, the session stays", "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  RealBroker broker;
  boost::asio::io_context loop;
  PlainClient node("127.0.0.1", broker.port(), "node");
  {
    Source first(loop, mesh(broker));
    node.publish("msh/t", "first", 1, true);
    REQUIRE(run_until(loop, [&] { return first.payloads.size() == 1; }));
    first.source.stop();
  }
  node.publish("msh/t", "second", 1);
  Source second(loop, mesh(broker));
  REQUIRE(run_until(loop, [&] { return second.payloads.size() == 1; }));
  CHECK(second.payloads == Texts{"second"});
}

TEST_CASE("Live: many messages arrive once each and in order", "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  RealBroker broker("max_inflight_messages 1000\nmax_queued_messages 0\n");
  boost::asio::io_context loop;
  PlainClient node("127.0.0.1", broker.port(), "node");
  Source source(loop, mesh(broker));
  node.publish("msh/t", "0", 1, true);
  REQUIRE(run_until(loop, [&] { return source.payloads.size() == 1; }));
  constexpr int kMany = 3000;
  Texts expected{"0"};
  for (int i = 1; i < kMany; ++i) {
    node.publish("msh/t", std::to_string(i), i % 2);
    expected.push_back(std::to_string(i));
  }
  REQUIRE(run_until(loop, [&] { return source.payloads.size() == kMany; }));
  // QoS 0 and 1 keep their order among themselves only.
  std::sort(source.payloads.begin(), source.payloads.end());
  std::sort(expected.begin(), expected.end());
  CHECK(source.payloads == expected);
}

// A store with its two threads, a sink, and a source on the same broker with an empty prefix.
struct Loop : queue::StoreFixture {
  boost::asio::io_context loop;
  RealBroker broker;
  int bit = run([](queue::Store& s) { return s.set_sinks({"a"}); })[0];
  std::unique_ptr<queue::ThreadedStoreRunner> runner;
  std::unique_ptr<MqttSink> sink;

  queue::Entry owe(const std::string& topic) {
    auto made = message(topic, "text");
    made.peer = queue::kEdge;
    made.sinks = std::uint64_t{1} << bit;
    return accept(made).entry;
  }
  void open(const std::vector<queue::Entry>& owed) {
    runner = std::make_unique<queue::ThreadedStoreRunner>(
        std::move(store), std::make_unique<queue::StoreReader>(path),
        std::make_unique<queue::StoreReader>(path),
        [this](std::function<void()> work) { boost::asio::post(loop, std::move(work)); });
    sink = std::make_unique<MqttSink>(loop, clock, *runner,
                                      MqttSink::Options{.mqtt = broker.options("tulpar-sink"),
                                                        .prefix = "",
                                                        .own_name = "relay",
                                                        .bit = bit,
                                                        .classes = config::default_classes()});
    for (const auto& entry : owed) sink->add(entry);
    sink->start();
  }
};

TEST_CASE_METHOD(Loop, "Live: published with its mark; our own source on the same broker leaves it alone",
                 "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  PlainClient listener("127.0.0.1", broker.port(), "listener");
  listener.subscribe("msh/#");
  Source source(loop, mesh(broker));
  REQUIRE(run_until(loop, [&] { return source.source.status().connected; }));
  const auto entry = owe("msh/down");
  open({entry});
  REQUIRE(run_until(loop, [&] {
    listener.poll();
    return sink->status().published == 1 && sink->status().queued == 0 && !listener.heard.empty() &&
           source.source.status().echoes == 1;
  }));
  CHECK(listener.heard[0].topic == "msh/down");
  CHECK(listener.heard[0].qos == 1);
  CHECK(listener.heard[0].tulpar_id == "0000000000000000-" + std::to_string(entry.id));
  CHECK(source.payloads.empty());
}

TEST_CASE_METHOD(Loop, "Live: a broker that comes late or goes between gets everything", "[live]") {
  TULPAR_NEEDS_MOSQUITTO();
  broker.end(SIGKILL);
  std::vector<queue::Entry> owed;
  for (int i = 0; i < 200; ++i) owed.push_back(owe("msh/" + std::to_string(i)));
  open(owed);
  REQUIRE(run_until(loop, [&] { return sink->status().note.find("refused") != std::string::npos; }));
  broker.start();
  REQUIRE(run_until(loop, [&] { return sink->status().published > 0; }));
  broker.end(SIGKILL);
  broker.start();
  REQUIRE(run_until(loop, [&] { return sink->status().queued == 0; }));
  CHECK(sink->status().published == 200);
  runner.reset();
  reopen();
  CHECK(query("SELECT count(*) FROM message WHERE state = 2") == 200);
  CHECK(balanced());
}

}  // namespace
}  // namespace tulpar::bridge
