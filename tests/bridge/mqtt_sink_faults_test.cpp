// SPDX-License-Identifier: Apache-2.0
//
// The sink when brokers refuse, connections end and the store fails: owed messages stay owed, once each.
#include "tests/bridge/sink_fixture.hpp"

namespace tulpar::bridge {
namespace {

TEST_CASE_METHOD(SinkFixture, "Sink: after a loss the same messages come again under the same ids", "[sink]") {
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

TEST_CASE_METHOD(SinkFixture, "Sink: one message that makes the broker hang up does not hold up the others",
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

TEST_CASE_METHOD(SinkFixture, "Sink: a refusal for good ends the message, with its reason", "[sink]") {
  broker.on_publish = [this](const auto& packet) {
    broker.acknowledge(packet.mid, packet.topic.ends_with("bad") ? 0x90 : 0);
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

TEST_CASE_METHOD(SinkFixture,
                 "Sink: what an access list forbids is kept, tried again and told; the others go on",
                 "[sink]") {
  bool corrected = false;
  broker.on_publish = [&](const auto& packet) {
    broker.acknowledge(packet.mid, !corrected && packet.topic.ends_with("bad") ? 0x87 : 0);
  };
  open();
  std::vector<Entry> bad{owe("bad", "sos", 1, 0)};
  // More than the window sets aside before it stops to pick.
  for (std::uint64_t i = 2; i < 122; ++i) bad.push_back(owe("bad", "x", i, 1));
  for (const Entry& entry : bad) sink->add(entry);
  owe_many(5);
  REQUIRE(run_until(loop, [&] { return delivered() == 5 && sink->status().forbidden == bad.size(); }));
  CHECK(sink->status().queued == bad.size());
  CHECK(sink->status().refused == 0);
  CHECK_THAT(sink->status().note, Contains("121 of the messages (1 of them emergencies)") && Contains("0x87"));
  // Not a busy loop: an hour brings a publication a minute of each kind.
  const auto before = broker.seen(test::kPublish).size();
  test::settle(loop);
  CHECK(broker.seen(test::kPublish).size() == before);
  corrected = true;
  REQUIRE(run_until(loop, [&] {
    clock.advance(Millis{100});
    return delivered() == 126 && sink->status().queued == 0;
  }));
  CHECK(sink->status().note.empty());
  CHECK(balanced());
}

TEST_CASE_METHOD(SinkFixture, "Sink: no answer ends an emergency, not even before it leaves", "[sink]") {
  bool corrected = false;
  broker.on_connect = [&](const auto&) { broker.accept(false, {0x27, 0, 0, 0, 100}); };
  broker.on_publish = [&](const auto& packet) { broker.acknowledge(packet.mid, corrected ? 0 : 0x90); };
  open();
  const Entry sos = owe("sos", "x", 1, 0), large = owe("t", std::string(200, 'x'), 2, 0);
  sink->add(sos);
  sink->add(large);
  REQUIRE(run_until(loop, [&] { return sink->status().forbidden == 2; }));
  CHECK(state(sos.id) == 0);
  CHECK(state(large.id) == 0);
  corrected = true;
  REQUIRE(run_until(loop, [&] {
    clock.advance(Millis{100});
    return delivered() == 1;
  }));
  CHECK(state(large.id) == 0);
  // The operator may end it.
  REQUIRE(run_until(loop, [&] { return sink->drop(large.id); }));
  REQUIRE(ends(large.id));
  CHECK(balanced());
}

TEST_CASE_METHOD(SinkFixture, "Sink: a broker over its quota is asked again", "[sink]") {
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

TEST_CASE_METHOD(SinkFixture, "Sink: what nobody may publish, or the broker cannot hold, never leaves",
                 "[sink]") {
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

TEST_CASE_METHOD(SinkFixture, "Sink: the size limit of the broker is met to the byte", "[sink]") {
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

TEST_CASE_METHOD(SinkFixture, "Sink: what its audience may not have is withheld", "[sink]") {
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

TEST_CASE_METHOD(SinkFixture, "Sink: a message whose body is gone ends as unreadable", "[sink]") {
  open();
  const Entry entry = owe("t", "x", 1);
  store->database().execute("DELETE FROM body WHERE id = " + std::to_string(entry.id));
  sink->add(entry);
  REQUIRE(ends(entry.id));
  CHECK(reason(entry.id) == number(queue::DropReason::kUnreadable));
}

TEST_CASE_METHOD(SinkFixture, "Sink: a store that fails delays, and loses nothing", "[sink]") {
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

TEST_CASE_METHOD(SinkFixture, "Sink: a body that arrives after the connection was lost is not published twice",
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

TEST_CASE_METHOD(SinkFixture, "Sink: an emergency whose text is at hand waits for no disk", "[sink]") {
  runner.hold_reads = true;
  open();
  const Entry text = owe("text", "x", 1, 1), sos = owe("sos", "help", 2, queue::kEmergency);
  sink->add(text);
  sink->add(sos,
            {.body = {sos.id, "sos", Bytes{0x68, 0x65, 0x6c, 0x70}}, .origin = {0xabc, 2}, .peer = "relay"});
  REQUIRE(
      run_until(loop, [&] { return state(sos.id) == static_cast<std::int64_t>(queue::State::kDelivered); }));
  const auto published = broker.seen(test::kPublish);
  REQUIRE(published.size() == 1);
  CHECK(published[0].topic == "from/relay/sos");
  CHECK(published[0].payload == "help");
  runner.hold_reads = false;
  for (auto& job : std::exchange(runner.held_reads, {})) runner.submit(std::move(job));
  REQUIRE(delivers(2));
  CHECK(balanced());
}

TEST_CASE_METHOD(SinkFixture, "Sink: what the operator takes from the queue is not published", "[sink]") {
  auto mine = options();
  open(mine);
  const Entry entry = owe("t", "x", 1);
  sink->add(entry);
  CHECK(sink->drop(entry.id));
  CHECK_FALSE(sink->drop(entry.id));
  REQUIRE(run_until(loop, [&] { return sink->status().connected; }));
  test::settle(loop);
  CHECK(broker.seen(test::kPublish).empty());
  CHECK(state(entry.id) == kDropped);
  CHECK(reason(entry.id) == number(queue::DropReason::kOperator));
  CHECK(balanced());
}

TEST_CASE_METHOD(SinkFixture, "Sink: the status says why nothing leaves", "[sink]") {
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

TEST_CASE_METHOD(SinkFixture,
                 "Sink: an emergency that is not stored is published once a connection, owed to nobody",
                 "[sink]") {
  const queue::EdgeBody sos{
      .body = {.id = 0, .topic = "sos", .payload = {'h'}}, .origin = {0x5a, 7}, .peer = "roof"};
  auto with_audience = options();
  with_audience.may_leave = [](const Entry& entry, const queue::EdgeBody& message) {
    return entry.cls == queue::kEmergency && message.body.topic != "private";
  };
  runner.fail_writes = runner.fail_reads = true;
  open(with_audience);
  sink->publish_unstored(sos);  // before there is a connection
  REQUIRE(run_until(loop, [&] { return broker.seen(test::kPublish).size() == 1; }));
  const auto published = broker.seen(test::kPublish)[0];
  CHECK(published.topic == "from/roof/sos");
  CHECK(published.tulpar_id == "000000000000005a-7");
  auto not_for_this_sink = sos;
  not_for_this_sink.body.topic = "private";
  not_for_this_sink.origin.number = 8;
  sink->publish_unstored(sos);
  sink->publish_unstored(not_for_this_sink);
  test::settle(loop);
  CHECK(broker.seen(test::kPublish).size() == 1);
  CHECK(sink->status().queued == 0);
  broker.hang_up();
  REQUIRE(run_until(loop, [&] { return broker.connections() == 2 && sink->status().connected; }));
  sink->publish_unstored(sos);
  REQUIRE(run_until(loop, [&] { return broker.seen(test::kPublish).size() == 2; }));
}

TEST_CASE_METHOD(SinkFixture, "Sink: stopped or destroyed in the middle it leaves everything owed", "[sink]") {
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

}  // namespace
}  // namespace tulpar::bridge
