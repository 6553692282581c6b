// SPDX-License-Identifier: Apache-2.0
//
// Emergencies that leave although the disk does not take them.
#include "gateway/link/unstored.hpp"

#include "tests/catch.hpp"
#include "tests/gateway/link/memory_link.hpp"

namespace tulpar::link {
namespace {

struct Fixture : LinkedPair {
  queue::NewMessage sos(const std::string& text) {
    auto message = gateway.files.message("sos", text);
    message.cls = queue::kEmergency;
    message.number = gateway.peer->number_aside().value();
    return message;
  }
  // The disk works again and the mesh's broker delivers it once more.
  queue::Entry store(const queue::NewMessage& message) {
    const auto entry = gateway.files.accept(message).entry;
    gateway.peer->add(entry);
    return entry;
  }
  // A read of a waiting message that the disk does not answer.
  void hang_while_reading() {
    gateway.wait_on_disk("one of many", 2);
    gateway.runner.hold = true;
    run(Millis{500});
    REQUIRE(gateway.peer->outgoing().loading());
  }
  std::int64_t delivered() {
    return gateway.files.query("SELECT count(*) FROM message WHERE state = 2 AND frame_bytes > 0");
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture,
                 "Unstored: an emergency goes while the disk refuses everything, and is stored as sent") {
  greet();
  gateway.runner.refuse = gateway.runner.refuse_reads = true;
  const auto message = sos("help");
  gateway.peer->add_unstored(message);
  run(Millis{1000});
  CHECK(relay.arrived.size() == 1);
  CHECK(gateway.peer->unstored() == 1);
  CHECK(gateway.files.query("SELECT count(*) FROM message") == 0);
  gateway.runner.refuse = gateway.runner.refuse_reads = false;
  const auto sent = up->count.up;
  store(message);
  run(Millis{5000});
  CHECK(up->count.up == sent);
  CHECK(gateway.peer->unstored() == 0);
  CHECK(delivered() == 1);
  CHECK(relay.arrived.size() == 1);
  CHECK(gateway.files.balanced());
  CHECK(relay.files.balanced());
  CHECK(gateway.peer->status().bytes.payload_up == 7);
}

TEST_CASE_METHOD(Fixture, "Unstored: what is stored while it waits or is under way goes once") {
  const auto waiting = sos("one"), under_way = sos("two");
  gateway.peer->add_unstored(waiting);
  store(waiting);
  gateway.peer->add_unstored(under_way);
  connect();
  gateway.peer->step();
  store(under_way);
  run(Millis{3000});
  CHECK(relay.arrived.size() == 2);
  CHECK(delivered() == 2);
  CHECK(gateway.files.balanced());
  CHECK(gateway.peer->unstored() == 0);
}

TEST_CASE_METHOD(Fixture, "Unstored: it does not wait for emergencies that cannot be read") {
  gateway.runner.refuse_reads = true;
  gateway.wait_on_disk("a stored one");
  connect();
  run(Millis{2000});
  gateway.peer->add_unstored(sos("help"));
  run(Millis{2000});
  CHECK(relay.arrived.size() == 1);
  gateway.runner.refuse_reads = false;
  run(Millis{3000});
  CHECK(relay.arrived.size() == 2);
}

TEST_CASE_METHOD(Fixture, "Unstored: it does not wait for a disk that hangs while it is read") {
  greet();
  hang_while_reading();
  gateway.peer->add_unstored(sos("help"));
  run(Millis{500});
  CHECK(relay.arrived == std::vector<std::string>{"7"});
  gateway.runner.hold = false;
  run(Millis{3000});
  CHECK(relay.arrived.size() == 2);
}

TEST_CASE_METHOD(Fixture,
                 "Unstored: what turns out to be a copy is counted no more, and goes on if it has begun") {
  const auto message = sos("help");
  SECTION("not begun") {
    gateway.peer->add_unstored(message);
    gateway.peer->give_up_aside(message.number);
    greet();
    CHECK(relay.arrived.empty());
  }
  SECTION("under way") {
    greet();
    relay.runner.hold = true;
    gateway.peer->add_unstored(message);
    run(Millis{100});
    gateway.peer->give_up_aside(message.number);
    CHECK(gateway.peer->unstored() == 0);
    relay.runner.hold = false;
    run(Millis{1000});
    CHECK(relay.arrived == std::vector<std::string>{"7"});
  }
  SECTION("delivered") {
    connect();
    gateway.peer->add_unstored(message);
    run(Millis{1000});
    REQUIRE(gateway.peer->unstored() == 1);
    gateway.peer->give_up_aside(message.number);
  }
  CHECK(gateway.peer->unstored() == 0);
  CHECK(gateway.peer->emergencies() == 0);
}

TEST_CASE_METHOD(Fixture,
                 "A stored emergency needs no disk that can be read, and takes nobody along that does") {
  greet();
  gateway.runner.refuse_reads = true;
  gateway.accept("one of many", 2);
  gateway.accept("help");
  run(Millis{1000});
  CHECK(relay.arrived == std::vector<std::string>{"5"});
  gateway.runner.refuse_reads = false;
  run(Millis{20'000});
  CHECK(relay.arrived.size() == 2);
}

TEST_CASE_METHOD(Fixture, "What was read meanwhile waits where those from memory have taken its place") {
  greet();
  hang_while_reading();
  relay.runner.hold = true;  // it acknowledges nothing
  for (int i = 0; i < 40; ++i) gateway.peer->add_unstored(sos("help"));
  run(Millis{2000});
  REQUIRE(gateway.peer->outgoing().open_batches() == kMaxOpenBatches);
  gateway.runner.hold = false;
  run(Millis{2000});
  CHECK(gateway.peer->outgoing().open_batches() == kMaxOpenBatches);
  relay.runner.hold = false;
  run(Millis{10'000});
  CHECK(relay.arrived.size() == 41);
}

TEST_CASE_METHOD(Fixture, "A stored emergency does not wait for a disk that hangs while it is read") {
  greet();
  hang_while_reading();
  gateway.accept("help");
  gateway.accept("help again");
  run(Millis{1000});
  CHECK(relay.arrived.size() == 2);
  gateway.runner.hold = false;
  run(Millis{5000});
  CHECK(relay.arrived.size() == 3);
  CHECK(delivered() == 3);
}

TEST_CASE_METHOD(Fixture, "Unstored: given back after it was stored, it is sent as what was stored") {
  connect();
  gateway.accept("the first one enters the history, the next is built on it");
  run(Millis{2000});
  const auto message = sos("the first one enters the history, the next one: help");
  gateway.peer->add_unstored(message);
  gateway.peer->step();
  store(message);
  // Another relay, which knows nothing of that history: the batch is made anew.
  up->abort("cut");
  settle();
  End other;
  other.open(false);
  std::swap(relay.peer, other.peer);
  connect();
  for (int i = 0; i < 200; ++i) {
    advance(Millis{50});
    other.files.clock.advance(Millis{50});
    settle();
    while (other.runner.turn()) settle();
  }
  CHECK(other.arrived.size() == 1);
  CHECK(delivered() == 2);
  CHECK(gateway.peer->unstored() == 0);
  std::swap(relay.peer, other.peer);
}

TEST_CASE_METHOD(Fixture,
                 "Unstored: with a dead disk there are numbers for many emergencies, and then an end") {
  greet();
  gateway.runner.refuse = true;
  std::size_t sent = 0;
  while (const auto number = gateway.peer->number_aside()) {
    auto message = gateway.files.message("sos", "help");
    message.cls = queue::kEmergency;
    message.number = *number;
    gateway.peer->add_unstored(message);
    ++sent;
    if (sent % 8 == 0) run(Millis{500});
  }
  run(Millis{3000});
  CHECK(sent == queue::kNumbersAside);
  CHECK(relay.arrived.size() == sent);
}

TEST_CASE_METHOD(Fixture,
                 "Unstored: what the receiver's disk refuses is told if it is an emergency, and kept here") {
  greet();
  relay.runner.refuse = true;
  gateway.accept("help");
  gateway.accept("hello", 1);
  run(Millis{2000});
  CHECK(relay.unstored == std::vector<std::string>{"help"});
  CHECK(relay.arrived.empty());
  CHECK(delivered() == 0);
}

TEST_CASE_METHOD(Fixture, "Unstored: an emergency that the receiver's disk takes long for is told, once") {
  greet();
  gateway.accept("help");
  relay.runner.hold = true;
  run(Millis{2000});
  CHECK(relay.unstored == std::vector<std::string>{"help"});
  CHECK(relay.arrived.empty());
  relay.runner.hold = false;
  run(Millis{2000});
  CHECK(relay.unstored.size() == 1);
  CHECK(relay.arrived.size() == 1);
  CHECK(delivered() == 1);
}

TEST_CASE_METHOD(Fixture, "Unstored: with a healthy disk the numbers never run out") {
  for (std::uint64_t i = 0; i < 3 * queue::kNumbersAside; ++i) {
    const auto number = gateway.peer->number_aside();
    REQUIRE(number);
    gateway.peer->give_up_aside(*number);
    gateway.peer->step();
    while (gateway.runner.turn()) continue;
  }
}

TEST_CASE_METHOD(Fixture, "Unstored: one that was given up leaves no gap") {
  const auto message = sos("a copy, as it turned out");
  gateway.peer->give_up_aside(message.number);
  connect();
  gateway.accept("help");
  run(Millis{3000});
  CHECK(relay.arrived.size() == 1);
  CHECK(gateway.peer->unstored() == 0);
}

}  // namespace tulpar::link
