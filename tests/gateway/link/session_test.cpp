// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/session.hpp"

#include "tests/catch.hpp"
#include "tests/gateway/link/world.hpp"

namespace tulpar::link {
namespace {

// The stores answer at once, the link carries nothing yet.
void answer_all(World& world) {
  for (int i : {0, 1}) {
    Side& side = world.side(i);
    while (side.commit(100) || side.answer() || side.read()) {
    }
  }
}

void meet(World& world) {
  world.settle_down(200);
  REQUIRE(world.done());
}

Bytes frame_of(const Item& item) {
  FrameBuilder frame(kMaxFrame);
  REQUIRE(frame.put(item));
  return frame.take();
}

}  // namespace

TEST_CASE("An SOS overtakes a transfer between two frames") {
  World world;
  meet(world);
  Side& gateway = world.side(0);
  gateway.accept(4, 300'000);
  answer_all(world);
  world.clock.advance(Millis{1000});
  gateway.outgoing->prepare(world.clock.now());
  answer_all(world);
  const Bytes bulk = gateway.session->next_frame(world.clock.now(), 300);
  REQUIRE_FALSE(bulk.empty());
  REQUIRE(std::get<Fragment>(decode_frame(bulk)->at(0)).offset == 0);
  gateway.accept(0, 40);
  answer_all(world);
  gateway.outgoing->prepare(world.clock.now());
  answer_all(world);
  const Bytes next = gateway.session->next_frame(world.clock.now(), 300);
  const auto sos = std::get<Fragment>(decode_frame(next)->at(0));
  CHECK(sos.end);
  CHECK(decode_head(sos.bytes)->first.urgent);
  CHECK(decode_frame(next)->size() == 1);
  const Bytes after = gateway.session->next_frame(world.clock.now(), 300);
  CHECK(std::get<Fragment>(decode_frame(after)->at(0)).offset > 0);
}

TEST_CASE("Before the peer greets only the greeting and what is urgent leaves") {
  World world;
  meet(world);
  Side& gateway = world.side(0);
  gateway.accept(1, 100);
  gateway.accept(0, 100);
  world.break_link();
  world.notice(0);
  world.notice(1);
  world.connect();
  answer_all(world);
  world.clock.advance(std::chrono::seconds(5));
  gateway.outgoing->prepare(world.clock.now());
  answer_all(world);
  gateway.outgoing->prepare(world.clock.now());
  answer_all(world);
  const Bytes greeting = gateway.session->next_frame(world.clock.now(), 300);
  REQUIRE(std::holds_alternative<Greeting>(decode_frame(greeting)->at(0)));
  const Bytes urgent = gateway.session->next_frame(world.clock.now(), 300);
  REQUIRE_FALSE(urgent.empty());
  const auto head = decode_head(std::get<Fragment>(decode_frame(urgent)->at(0)).bytes);
  CHECK(head->first.urgent);
  CHECK_FALSE(head->first.has_base);
  CHECK(gateway.session->next_frame(world.clock.now(), 300).empty());
}

TEST_CASE("A peer that answers nothing is overdue and one that answers is not") {
  World world;
  world.connect();
  Session& session = *world.side(0).session;
  CHECK_FALSE(session.overdue(world.clock.now() + Millis{7999}));
  CHECK(session.overdue(world.clock.now() + Millis{8000}));
  session.set_round_trip(Millis{10'000});
  CHECK_FALSE(session.overdue(world.clock.now() + Millis{8000}));
  session.set_round_trip(Millis{600});
  meet(world);
  CHECK_FALSE(session.overdue(world.clock.now() + std::chrono::hours(24)));
  CHECK_FALSE(session.next_wake().has_value());
}

TEST_CASE("Versions are agreed or the session ends in words") {
  World world;
  world.connect();
  Session& session = *world.side(0).session;
  Greeting greeting{.version = 9, .least = 1, .incarnation = 7, .closed = {}, .partial = {}};
  SECTION("newer but compatible") {
    CHECK(session.on_frame(frame_of(greeting), world.clock.now()).has_value());
  }
  SECTION("too new") {
    greeting.least = 2;
    const auto heard = session.on_frame(frame_of(greeting), world.clock.now());
    REQUIRE(heard.has_error());
    CHECK(heard.error().message.find("versions 2 to 9") != std::string::npos);
    const auto bye = decode_frame(session.next_frame(world.clock.now(), 300));
    CHECK(std::get<Bye>(bye->at(0)).reason == ByeReason::kNoCommonVersion);
    CHECK_FALSE(session.up());
  }
}

TEST_CASE("A bye because of a rollback asks for a new incarnation once") {
  World world;
  world.connect();
  Session& session = *world.side(0).session;
  REQUIRE(session.on_frame(frame_of(Bye{ByeReason::kRolledBack}), world.clock.now()).has_value());
  CHECK(session.must_renew());
  session.renewed();
  CHECK_FALSE(session.must_renew());
}

TEST_CASE("A peer that greets first is understood with our incarnation of this session") {
  World world;
  world.connect();
  Session& relay = *world.side(1).session;
  const auto own = static_cast<std::uint64_t>(world.side(1).query("SELECT own_incarnation FROM peer"));
  // It knows us and has closed what we never sent: only a state that was rolled back explains it.
  Greeting greeting{.incarnation = 7, .known = own, .closed = {.cumulative = 500, .runs = {}}, .partial = {}};
  CHECK(relay.on_frame(frame_of(greeting), world.clock.now()).has_error());
  CHECK(relay.must_renew());
}

}  // namespace tulpar::link
