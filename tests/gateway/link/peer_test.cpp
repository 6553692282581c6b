// SPDX-License-Identifier: Apache-2.0
//
// Two peers with real stores over a transport in memory: what the programs see of a link.
#include "gateway/link/peer.hpp"

#include <fmt/format.h>

#include <random>

#include "tests/catch.hpp"
#include "tests/gateway/link/memory_link.hpp"

namespace tulpar::link {
namespace {

// Text that does not shrink.
std::string noise(std::size_t size) {
  std::mt19937 random(1);
  std::string text(size, ' ');
  for (auto& letter : text) letter = static_cast<char>(random());
  return text;
}

using Fixture = LinkedPair;

}  // namespace

TEST_CASE_METHOD(Fixture, "Peer: what is accepted here arrives there, and both have the same figures") {
  greet();
  gateway.accept("help");
  gateway.accept(std::string(2000, 'x'), 2);
  run(Millis{3000});
  CHECK(relay.arrived == std::vector<std::string>{"5", "2001"});
  CHECK(gateway.settled == 2);
  const auto here = gateway.peer->status(), there = relay.peer->status();
  CHECK(here.state == "up");
  CHECK(here.inflight_bytes == 0);
  CHECK(here.bytes.payload_up == 2006);
  CHECK(there.bytes.payload_down == 2006);
  CHECK(here.bytes.frame_up > 0);
  CHECK(here.bytes.wire_up == static_cast<std::int64_t>(up->count.up));
  CHECK(here.bytes.wire_down == there.bytes.wire_up);
  CHECK(here.bytes.session_opens == 1);
  CHECK(there.bytes.session_opens == 0);
  CHECK(gateway.files.balanced());
}

TEST_CASE_METHOD(Fixture, "Peer: a large queue is loaded in parts, and nothing of it counts as finished") {
  const std::size_t many = 2 * queue::Store::kPart;
  auto message = gateway.files.message("t", "x");
  gateway.files.run([&](queue::Store& store) { return store.accept(std::vector(many, message)); });
  gateway.peer.reset();
  gateway.open(true);
  CHECK(gateway.peer->scheduler().size() == many);
  for (queue::ClassId cls = 1; cls < queue::kClassNames.size(); ++cls) gateway.peer->close(cls, true);
  gateway.accept("help");
  connect();
  run(Millis{2000});
  CHECK(relay.arrived.size() == 1);
  CHECK(relay.files.query("SELECT low FROM peer") == 1);
}

TEST_CASE_METHOD(Fixture, "Peer: the figures of a status and those on disk agree once they are booked") {
  connect();
  gateway.accept("help");
  run(Millis{12'000});
  const auto status = gateway.peer->status().bytes;
  const auto disk = gateway.files.run([&](queue::Store& s) { return s.totals(gateway.files.link); });
  CHECK(disk.payload_up == status.payload_up);
  CHECK(disk.frame_up == status.frame_up);
  CHECK(disk.wire_up == status.wire_up);
  CHECK(disk.wire_down == status.wire_down);
}

TEST_CASE_METHOD(Fixture, "Peer: a link that breaks in the middle goes on where it stopped, once") {
  greet();
  gateway.accept(std::string(4000, 'x'), 2);
  gateway.accept("help");
  gateway.peer->step();
  gateway.runner.turn();
  up->turn();
  up->abort("cut");
  settle();
  CHECK(gateway.why == "cut");
  CHECK(gateway.peer->status().state == "down");
  gateway.accept("help again");
  connect();
  run(Millis{3000});
  CHECK(relay.arrived.size() == 3);
  CHECK(gateway.peer->status().bytes.session_opens == 2);
  CHECK(gateway.files.balanced());
  CHECK(relay.files.balanced());
}

TEST_CASE_METHOD(Fixture, "Peer: what the relay's disk refuses is not acknowledged, and arrives later") {
  greet();
  relay.runner.refuse = true;
  gateway.accept("help");
  run(Millis{2000});
  CHECK(relay.arrived.empty());
  CHECK(gateway.settled == 0);
  relay.runner.refuse = false;
  // It says that its store refuses, and hangs up; the program dials again.
  if (!gateway.peer->connected()) connect();
  run(Millis{20'000});
  if (!gateway.peer->connected()) connect();
  run(Millis{20'000});
  CHECK(relay.arrived.size() == 1);
  CHECK(gateway.settled == 1);
}

TEST_CASE_METHOD(Fixture, "Peer: one batch that the relay's disk refuses tells of its own emergencies alone") {
  greet();
  relay.runner.hold = true;
  gateway.accept("first");
  run(Millis{100});
  relay.runner.refuse = true;
  gateway.accept("second");
  run(Millis{100});
  // The answers come: the first is stored, and not told as well.
  relay.runner.hold = false;
  run(Millis{100});
  CHECK(relay.unstored == std::vector<std::string>{"second"});
  CHECK(relay.arrived == std::vector<std::string>{"6"});
}

TEST_CASE_METHOD(Fixture, "Peer: what waits for acknowledgements does not keep the loop awake") {
  greet();
  relay.runner.hold = true;
  for (int i = 0; i < 60; ++i) {
    gateway.accept(noise(2000), 2);
    run(Millis{200});
  }
  REQUIRE(gateway.peer->scheduler().size() > 0);
  REQUIRE(up->can_send(gateway.files.clock.now()));
  CHECK(gateway.peer->next_wake().value_or(BootTime::max()) > gateway.files.clock.now());
  relay.runner.hold = false;
  run(Millis{60'000});
  CHECK(relay.arrived.size() == 60);
}

TEST_CASE_METHOD(Fixture, "Peer: an emergency counts as waiting until the other side has it") {
  greet();
  relay.runner.hold = true;
  gateway.accept("help");
  run(Millis{200});
  REQUIRE(gateway.peer->scheduler().size() == 0);
  CHECK(gateway.peer->emergencies() == 1);
  relay.runner.hold = false;
  run(Millis{1000});
  CHECK(gateway.peer->emergencies() == 0);
}

TEST_CASE_METHOD(Fixture, "Peer: what our own disk refuses to settle is settled when it takes it") {
  greet();
  gateway.accept("help");
  gateway.peer->step();
  while (gateway.runner.turn() || up->turn()) {
  }
  gateway.runner.refuse = true;
  run(Millis{3000});
  CHECK(relay.arrived.size() == 1);
  CHECK(gateway.settled == 0);
  gateway.runner.refuse = false;
  run(Millis{3000});
  CHECK(gateway.settled == 1);
  CHECK(gateway.files.query("SELECT count(*) FROM message WHERE state = 2") == 1);
}

TEST_CASE_METHOD(Fixture, "Peer: a row that the disk does not give stops no other, and goes when it does") {
  gateway.wait_on_disk("help");
  gateway.wait_on_disk("help again");
  gateway.accept("first", 2);
  gateway.accept("second", 2);
  const bool all = GENERATE(false, true);
  const auto table = [this](const std::string& sql) { gateway.files.store->database().execute(sql.c_str()); };
  table("ALTER TABLE body RENAME TO kept");
  table(
      fmt::format("CREATE VIEW body AS SELECT id, CASE WHEN id <= 2 OR {} THEN abs(-9223372036854775807 - 1) "
                  "ELSE payload END AS payload FROM kept",
                  all ? 1 : 0));
  connect();
  run(Millis{5000});
  CHECK(relay.arrived.size() == (all ? 0 : 2));
  table("DROP VIEW body");
  table("ALTER TABLE kept RENAME TO body");
  run(Millis{20'000});
  REQUIRE(relay.arrived.size() == 4);
  CHECK(gateway.settled >= 2);
  CHECK(gateway.files.balanced());
}

TEST_CASE_METHOD(Fixture, "Peer: the operator drops, moves and evicts what waits") {
  gateway.accept("one", 2);
  gateway.accept("two", 2);
  gateway.accept("three", 2);
  CHECK(gateway.peer->drop(1));
  CHECK_FALSE(gateway.peer->drop(1));
  CHECK_FALSE(gateway.peer->drop(99));
  CHECK(gateway.peer->reclassify(2, 1));
  gateway.peer->evict(1);
  run(Millis{100});
  CHECK(gateway.files.query("SELECT count(*) FROM message WHERE state = 5") == 2);
  CHECK(gateway.files.query("SELECT class FROM message WHERE id = 2") ==
        gateway.files.query("SELECT id FROM class WHERE name = 'message'"));
  CHECK(gateway.files.balanced());
}

TEST_CASE_METHOD(Fixture,
                 "Peer: a class that is paused in the middle of its transfer stops, and nobody spins") {
  greet();
  up->frames_left = 3;
  gateway.accept(noise(20'000), 2);
  run(Millis{1000});
  gateway.peer->scheduler().pause(2, true);
  up->frames_left = 1000;
  run(Millis{2000});
  const auto sent = up->count.up;
  REQUIRE(gateway.peer->status().inflight_bytes > 0);
  // Nothing is due at once: else the program's timer would fire again and again.
  const auto wake = gateway.peer->next_wake();
  CHECK((!wake || *wake > gateway.files.clock.now()));
  gateway.accept("help");
  run(Millis{2000});
  CHECK(relay.arrived.size() == 1);
  CHECK(up->count.up < sent + 1000);
  gateway.peer->scheduler().pause(2, false);
  run(Millis{5000});
  CHECK(relay.arrived.size() == 2);
}

TEST_CASE_METHOD(Fixture, "Peer: what our plan withholds the other side keeps too, but never an SOS") {
  greet();
  gateway.peer->close(2, true);
  gateway.peer->hold({"emergency", "normal", "unknown here"});
  run(Millis{1000});
  relay.accept("an answer", 2);
  relay.accept("we come");
  run(Millis{5000});
  CHECK(gateway.arrived.size() == 1);
  CHECK(relay.peer->scheduler().state(2).closed);
  // A new session has to be told again.
  up->abort("cut");
  settle();
  connect();
  run(Millis{5000});
  CHECK(gateway.arrived.size() == 1);
  gateway.peer->hold({});
  run(Millis{5000});
  CHECK(gateway.arrived.size() == 2);
}

TEST_CASE_METHOD(Fixture, "Peer: the other side's wish opens nothing that our own plan withholds") {
  relay.peer->close(2, true);
  greet();
  gateway.peer->hold({"bulk"});
  run(Millis{1000});
  gateway.peer->hold({});
  run(Millis{1000});
  CHECK(relay.peer->scheduler().state(2).closed);
  CHECK_FALSE(relay.peer->scheduler().state(4).closed);
}

TEST_CASE_METHOD(Fixture, "Peer: a session that turns out to be dead when it is replaced") {
  greet();
  const auto dead = down;
  dead->breaks_on_send = true;
  greet();
  CHECK(relay.peer->connected());
  gateway.accept("help");
  run(Millis{1000});
  CHECK(relay.arrived.size() == 1);
}

TEST_CASE_METHOD(Fixture, "Peer: who is replaced by a newer session is told, and knows that it is not wanted") {
  greet();
  CHECK_FALSE(gateway.peer->was_refused());
  // Another box with a copy of the enrolment.
  auto twin = std::make_shared<MemoryTransport>();
  twin->since = relay.files.clock.now();
  relay.peer->attach(twin);
  run(Millis{1000});
  CHECK(gateway.why.find(to_string(ByeReason::kReplaced)) != std::string::npos);
  CHECK(gateway.peer->was_refused());
  CHECK_FALSE(gateway.peer->connected());
}

TEST_CASE_METHOD(Fixture,
                 "Peer: a connection whose handshake ends after that of a later one replaces nothing") {
  auto late = std::make_shared<MemoryTransport>();  // its gateway was killed, and came back by another
  late->since = relay.files.clock.now();
  late->count = {.up = 300, .down = 400};
  advance(Millis{5000});
  greet();
  const auto before = relay.peer->status().bytes;
  relay.peer->attach(late);
  CHECK_FALSE(late->ending.empty());
  CHECK(late->inbox.empty());
  CHECK(relay.peer->status().bytes.wire_down == before.wire_down + 400);
  run(Millis{1000});
  gateway.accept("help");
  run(Millis{1000});
  CHECK(relay.arrived.size() == 1);
  CHECK_FALSE(gateway.peer->was_refused());
  CHECK(gateway.peer->connected());
}

TEST_CASE_METHOD(Fixture, "Peer: saying goodbye closes both ends with a word") {
  greet();
  gateway.peer->detach(ByeReason::kShuttingDown);
  run(Millis{1000});
  CHECK(gateway.why == to_string(ByeReason::kShuttingDown));
  CHECK_FALSE(relay.peer->was_refused());
  CHECK(relay.peer->status().state == "down");
  CHECK(relay.why.find(to_string(ByeReason::kShuttingDown)) != std::string::npos);
}

}  // namespace tulpar::link
