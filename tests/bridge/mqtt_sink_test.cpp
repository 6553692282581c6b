// SPDX-License-Identifier: Apache-2.0
//
// The sink between a real store and a scripted broker: what is owed is published once more until it is taken.
#include "bridge/mqtt_sink.hpp"

#include <boost/asio/post.hpp>
#include <set>

#include "bridge/mqtt_outgoing.hpp"
#include "tests/bridge/fake_broker.hpp"
#include "tests/bridge/mqtt_loop.hpp"
#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::bridge {
namespace {

using queue::Entry;
using queue::MessageId;
using test::FakeBroker;
using test::run_until;

// Each operation alone, on the loop, in its order; or refused.
class LoopRunner : public queue::StoreRunner {
 public:
  LoopRunner(boost::asio::io_context& loop, queue::Store& store, const std::string& path)
      : loop_(loop), store_(store), reader_(path) {}

  void submit(WriteJob job) override {
    boost::asio::post(loop_, [this, job = std::move(job)] {
      ++writes;
      answer(fail_writes, job.done, [&] { queue::commit(store_, job.run); });
    });
  }
  void submit(ReadJob job) override {
    boost::asio::post(loop_, [this, job = std::move(job)] {
      if (hold_reads) return held_reads.push_back(job);
      answer(fail_reads, job.done, [&] { job.run(reader_); });
    });
  }
  int writes = 0;
  bool fail_writes = false, fail_reads = false, hold_reads = false;
  std::vector<ReadJob> held_reads;

 private:
  template <class Work>
  void answer(bool fail, const std::function<void(const Error*)>& done, Work work) {
    const Error error{"disk I/O error"};
    if (fail) return done(&error);
    work();
    done(nullptr);
  }
  boost::asio::io_context& loop_;
  queue::Store& store_;
  queue::StoreReader reader_;
};

struct Fixture : queue::StoreFixture {
  boost::asio::io_context loop;
  FakeBroker broker{loop};
  int bit = run([](queue::Store& s) { return s.set_sinks({"a", "b"}); })[0];
  LoopRunner runner{loop, *store, path};
  std::unique_ptr<MqttSink> sink;

  MqttSink::Options options() const {
    return {.mqtt = broker.options(),
            .prefix = "from/{gateway}/",
            .own_name = "relay-1",
            .bit = bit,
            .classes = config::default_classes()};
  }
  MqttSink& open(MqttSink::Options options) {
    sink = std::make_unique<MqttSink>(loop, clock, runner, std::move(options));
    sink->start();
    return *sink;
  }
  MqttSink& open() { return open(options()); }

  // Owed to our sink, from gateway "relay" (the fixture's peer) under number `number`.
  Entry owe(const std::string& topic, const std::string& payload, std::uint64_t number = 0,
            queue::ClassId cls = 2) {
    queue::NewMessage made = message(topic, payload);
    made.peer = queue::kEdge;
    made.cls = cls;
    made.sinks = std::uint64_t{1} << bit;
    if (number) {
      made.origin = peer;
      made.origin_incarnation = 0xabc;
      made.origin_number = number;
    }
    return accept(made).entry;
  }
  std::vector<MessageId> owe_many(int count) {
    std::vector<MessageId> ids;
    for (int i = 1; i <= count; ++i) {
      const Entry entry = owe("t/" + std::to_string(i), "x", static_cast<std::uint64_t>(i));
      sink->add(entry);
      ids.push_back(entry.id);
    }
    return ids;
  }
  std::int64_t state(MessageId id) {
    return query("SELECT state FROM message WHERE id = " + std::to_string(id));
  }
  std::int64_t reason(MessageId id) {
    return query("SELECT reason FROM message WHERE id = " + std::to_string(id));
  }
  std::int64_t delivered() { return query("SELECT count(*) FROM message WHERE state = 2"); }
  bool delivers(std::int64_t count) {
    return run_until(loop, [&] { return delivered() == count && sink->status().queued == 0; });
  }
  bool ends(MessageId id) {
    return run_until(loop, [&] { return state(id) > 1 && sink->status().queued == 0; });
  }
};

constexpr auto kDropped = static_cast<std::int64_t>(queue::State::kDropped);
std::int64_t number(queue::DropReason reason) { return static_cast<std::int64_t>(reason); }

TEST_CASE_METHOD(Fixture, "Sink: publishes what is owed, and the store knows when it is taken", "[sink]") {
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

TEST_CASE_METHOD(Fixture, "Sink: what was accepted here goes under our own name and id", "[sink]") {
  open();
  const Entry entry = owe("t", "hello");
  sink->add(entry);
  REQUIRE(delivers(1));
  const auto seen = broker.seen(test::kPublish);
  CHECK(seen[0].topic == "from/relay-1/t");
  CHECK(seen[0].tulpar_id == "0000000000000000-" + std::to_string(entry.id));
}

TEST_CASE_METHOD(Fixture, "Sink: what was owed before the start is loaded", "[sink]") {
  const std::vector<Entry> backlog{owe("t/1", "x"), owe("t/2", "y")};
  open();
  sink->load(backlog);
  CHECK(sink->status().queued == 2);
  REQUIRE(delivers(2));
}

TEST_CASE_METHOD(Fixture, "Sink: never more than twenty unacknowledged, in order, then the rest", "[sink]") {
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

TEST_CASE_METHOD(Fixture, "Sink: fewer where the broker wants fewer", "[sink]") {
  broker.on_connect = [this](const auto&) { broker.accept(false, {0x21, 0, 3}); };
  broker.on_publish = [](const auto&) {};
  open();
  owe_many(10);
  REQUIRE(run_until(loop, [&] { return broker.seen(test::kPublish).size() == 3; }));
  test::settle(loop);
  CHECK(broker.seen(test::kPublish).size() == 3);
}

TEST_CASE_METHOD(Fixture, "Sink: answers are written in groups, and a slot is free only then", "[sink]") {
  open();
  owe_many(20);
  REQUIRE(delivers(20));
  CHECK(runner.writes < 20);
}

TEST_CASE_METHOD(Fixture, "Sink: the most urgent goes first", "[sink]") {
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

TEST_CASE_METHOD(Fixture, "Sink: nothing expires, waits or gives way here", "[sink]") {
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

TEST_CASE_METHOD(Fixture, "Sink: after a loss the same messages come again under the same ids", "[sink]") {
  broker.on_publish = [](const auto&) {};
  open();
  owe_many(3);
  REQUIRE(run_until(loop, [&] { return broker.seen(test::kPublish).size() == 3; }));
  broker.on_publish = [this](const auto& packet) { broker.acknowledge(packet.mid); };
  broker.hang_up();
  REQUIRE(delivers(3));
  std::multiset<std::string> ids;
  for (const auto& packet : broker.seen(test::kPublish)) ids.insert(packet.tulpar_id);
  CHECK(ids.size() == 6);
  for (int i = 1; i <= 3; ++i) CHECK(ids.count("0000000000000abc-" + std::to_string(i)) == 2);
  CHECK(broker.seen(test::kConnect)[0].clean_start);
}

TEST_CASE_METHOD(Fixture, "Sink: one message that makes the broker hang up does not hold up the others",
                 "[sink]") {
  broker.on_publish = [this](const auto& packet) {
    packet.topic.ends_with("/t/2") ? broker.hang_up() : broker.acknowledge(packet.mid);
  };
  open();
  const auto ids = owe_many(5);
  REQUIRE(run_until(loop, [&] { return delivered() == 4; }));
  CHECK(state(ids[1]) == 0);
  // Later it passes: it was never given up.
  broker.on_publish = [this](const auto& packet) { broker.acknowledge(packet.mid); };
  REQUIRE(run_until(loop, [&] {
    clock.advance(Millis{100});
    return delivered() == 5;
  }));
}

TEST_CASE_METHOD(Fixture, "Sink: a refusal for good ends the message, with its reason", "[sink]") {
  broker.on_publish = [this](const auto& packet) {
    broker.acknowledge(packet.mid, packet.topic.ends_with("bad") ? 0x87 : 0);
  };
  open();
  const Entry bad = owe("bad", "x", 1), good = owe("good", "x", 2);
  sink->add(bad);
  sink->add(good);
  REQUIRE(ends(bad.id));
  CHECK(state(bad.id) == kDropped);
  CHECK(reason(bad.id) == number(queue::DropReason::kRefused));
  CHECK(delivered() == 1);
  CHECK(sink->status().refused == 1);
  CHECK(balanced());
}

TEST_CASE_METHOD(Fixture, "Sink: a broker over its quota is asked again", "[sink]") {
  int tries = 0;
  broker.on_publish = [&](const auto& packet) { broker.acknowledge(packet.mid, ++tries < 3 ? 0x97 : 0); };
  open();
  owe_many(1);
  REQUIRE(run_until(loop, [&] {
    clock.advance(Millis{100});
    return delivered() == 1;
  }));
  CHECK(tries == 3);
}

TEST_CASE_METHOD(Fixture, "Sink: what nobody may publish, or the broker cannot hold, never leaves", "[sink]") {
  broker.on_connect = [this](const auto&) { broker.accept(false, {0x27, 0, 0, 0, 100}); };
  open();
  const Entry wild = owe("a/#", "x", 1), large = owe("t", std::string(200, 'x'), 2);
  sink->add(wild);
  sink->add(large);
  REQUIRE(ends(wild.id));
  REQUIRE(ends(large.id));
  CHECK(reason(wild.id) == number(queue::DropReason::kRefused));
  CHECK(reason(large.id) == number(queue::DropReason::kTooLarge));
  CHECK(broker.seen(test::kPublish).empty());
  CHECK(balanced());
}

TEST_CASE_METHOD(Fixture, "Sink: the size limit of the broker is met to the byte", "[sink]") {
  const std::size_t size = publish_size("from/relay/t", "0000000000000abc-1", 50, true);
  const bool fits = GENERATE(true, false);
  broker.on_connect = [this, size, fits](const auto&) {
    broker.accept(false, {0x27, 0, 0, 0, static_cast<std::uint8_t>(size - (fits ? 0 : 1))});
  };
  open();
  const Entry entry = owe("t", std::string(50, 'x'), 1);
  sink->add(entry);
  REQUIRE(ends(entry.id));
  CHECK(broker.seen(test::kPublish).size() == (fits ? 1 : 0));
}

TEST_CASE_METHOD(Fixture, "Sink: what its audience may not have is withheld", "[sink]") {
  auto mine = options();
  mine.may_leave = [](const Entry&, const queue::EdgeBody& message) { return message.body.topic != "private"; };
  open(mine);
  const Entry hidden = owe("private", "x", 1), open_one = owe("open", "x", 2);
  sink->add(hidden);
  sink->add(open_one);
  REQUIRE(ends(hidden.id));
  CHECK(reason(hidden.id) == number(queue::DropReason::kConsent));
  REQUIRE(delivers(1));
  CHECK(sink->status().withheld == 1);
  CHECK(broker.seen(test::kPublish).size() == 1);
}

TEST_CASE_METHOD(Fixture, "Sink: a message whose body is gone ends as unreadable", "[sink]") {
  open();
  const Entry entry = owe("t", "x", 1);
  store->database().execute("DELETE FROM body WHERE id = " + std::to_string(entry.id));
  sink->add(entry);
  REQUIRE(ends(entry.id));
  CHECK(reason(entry.id) == number(queue::DropReason::kUnreadable));
}

TEST_CASE_METHOD(Fixture, "Sink: a store that fails delays, and loses nothing", "[sink]") {
  open();
  SECTION("reading") {
    runner.fail_reads = true;
    owe_many(3);
    test::settle(loop);
    CHECK(broker.seen(test::kPublish).empty());
    runner.fail_reads = false;
  }
  SECTION("writing: no more than twenty are published that the store does not know of") {
    runner.fail_writes = true;
    owe_many(30);
    REQUIRE(run_until(loop, [&] { return broker.seen(test::kPublish).size() == 20; }));
    test::settle(loop);
    CHECK(broker.seen(test::kPublish).size() == 20);
    CHECK(delivered() == 0);
    runner.fail_writes = false;
  }
  const auto owed = query("SELECT count(*) FROM message");
  REQUIRE(run_until(loop, [&] {
    clock.advance(Millis{100});
    return delivered() == owed;
  }));
  CHECK(broker.seen(test::kPublish).size() == static_cast<std::size_t>(owed));
}

TEST_CASE_METHOD(Fixture, "Sink: a body that arrives after the connection was lost is not published twice",
                 "[sink]") {
  runner.hold_reads = true;
  open();
  owe_many(1);
  REQUIRE(run_until(loop, [&] { return runner.held_reads.size() == 1; }));
  broker.hang_up();
  REQUIRE(run_until(loop, [&] { return runner.held_reads.size() == 2; }));
  runner.hold_reads = false;
  for (auto& job : std::exchange(runner.held_reads, {})) runner.submit(std::move(job));
  REQUIRE(delivers(1));
  CHECK(broker.seen(test::kPublish).size() == 1);
}

TEST_CASE_METHOD(Fixture, "Sink: what the operator takes from the queue is not published", "[sink]") {
  auto mine = options();
  open(mine);
  const Entry entry = owe("t", "x", 1);
  sink->add(entry);
  CHECK(sink->scheduler().remove(entry.id).has_value());
  sink->wake();
  REQUIRE(run_until(loop, [&] { return sink->status().connected; }));
  test::settle(loop);
  CHECK(broker.seen(test::kPublish).empty());
}

TEST_CASE_METHOD(Fixture, "Sink: the status says why nothing leaves", "[sink]") {
  SECTION("the broker takes no QoS 1") {
    broker.on_connect = [this](const auto&) { broker.accept(false, {0x24, 0}); };
    open();
    REQUIRE(
        run_until(loop, [&] { return !sink->status().note.empty() && sink->status().note != "connecting"; }));
    CHECK_THAT(sink->status().note, Contains("QoS 1"));
    CHECK_FALSE(sink->status().connected);
  }
  SECTION("it speaks only 3.1.1: published all the same, without the mark") {
    broker.on_connect = [this](const auto& packet) {
      packet.version == 5 ? broker.refuse(1) : broker.accept();
    };
    open();
    owe_many(1);
    REQUIRE(delivers(1));
    CHECK_THAT(sink->status().note, Contains("3.1.1"));
    CHECK(broker.seen(test::kPublish)[0].tulpar_id.empty());
  }
}

TEST_CASE_METHOD(Fixture, "Sink: stopped or destroyed in the middle it leaves everything owed", "[sink]") {
  broker.on_publish = [](const auto&) {};
  open();
  owe_many(3);
  REQUIRE(run_until(loop, [&] { return broker.seen(test::kPublish).size() == 3; }));
  SECTION("stopped") { sink->stop(); }
  SECTION("destroyed") { sink.reset(); }
  test::settle(loop);
  CHECK(delivered() == 0);
  CHECK(query("SELECT count(*) FROM message WHERE state = 0") == 3);
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
