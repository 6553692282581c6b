// SPDX-License-Identifier: Apache-2.0
//
// The sinks of the configuration come, go and are renamed: what is owed is never released unseen.
#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {
namespace {

struct Fixture : StoreFixture {
  Store::GoneSinks gone;

  std::vector<int> sinks(const std::vector<std::string>& names) {
    gone = {};
    return run([&](Store& s) { return s.set_sinks(names, &gone); });
  }
  MessageId owe(std::uint64_t to) {
    NewMessage made = message("t", "x");
    made.peer = kEdge;
    made.sinks = to;
    return accept(made).entry.id;
  }
  std::int64_t owed(MessageId id) {
    return query("SELECT owed FROM message WHERE state = 0 AND id = " + std::to_string(id));
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "Sinks: one under a new name gets what the old one was owed, and its bit") {
  sinks({"a", "b"});
  const auto both = owe(3), alone = owe(1), other = owe(2), half = owe(3);
  run([&](Store& s) { return s.deliver_to_sink(std::span(&half, 1), 1); });
  CHECK(sinks({"c", "b"}) == std::vector{0, 1});
  CHECK(owed(both) == 3);
  CHECK(owed(alone) == 1);
  CHECK(owed(other) == 2);
  CHECK(owed(half) == 1);
  CHECK(gone.moved == 3);
  CHECK(gone.elsewhere == 0);
  CHECK(balanced());
}

TEST_CASE_METHOD(Fixture, "Sinks: one that goes leaves what nobody has had to those that stay") {
  sinks({"a", "b"});
  const auto both = owe(3), alone = owe(1), had = owe(3);
  run([&](Store& s) { return s.deliver_to_sink(std::span(&had, 1), 1); });
  CHECK(sinks({"b"}) == std::vector{1});
  CHECK(owed(both) == 2);
  CHECK(owed(alone) == 2);
  CHECK(query("SELECT state FROM message WHERE id = " + std::to_string(had)) == 2);
  CHECK(gone.moved == 1);
  CHECK(gone.elsewhere == 1);
  CHECK(query("SELECT count(*) FROM drops") == 0);
  CHECK(balanced());
}

TEST_CASE_METHOD(Fixture, "Sinks: without any the debts stay, for whoever comes next") {
  sinks({"a"});
  const auto id = owe(1);
  CHECK(sinks({}).empty());
  CHECK(gone.stay == 1);
  CHECK(owed(id) == 1);
  SECTION("the same") {
    CHECK(sinks({"a"}) == std::vector{0});
    CHECK(gone.moved == 0);
    CHECK(owed(id) == 1);
  }
  SECTION("others") {
    CHECK(sinks({"x", "y"}) == std::vector{0, 1});
    CHECK(gone.moved == 1);
    CHECK(owed(id) == 3);
  }
  CHECK(balanced());
}

TEST_CASE_METHOD(Fixture, "Sinks: the same again, in any order, change nothing") {
  sinks({"a", "b", "c"});
  const auto id = owe(5);
  CHECK(sinks({"c", "a", "b"}) == std::vector{2, 0, 1});
  CHECK(owed(id) == 5);
  CHECK(gone.moved + gone.elsewhere + gone.stay == 0);
}

TEST_CASE_METHOD(Fixture, "Sinks: a story that ends at one sink ends for good at the last") {
  sinks({"a", "b"});
  const auto ends = [&](MessageId id, int bit, State state, DropReason why = DropReason::kNone) {
    return run([&](Store& s) { return s.end_at_sink(id, bit, state, why); });
  };
  const auto state = [&](MessageId id) {
    return query("SELECT state FROM message WHERE id = " + std::to_string(id));
  };
  const auto expired = owe(3), taken = owe(3);
  CHECK(ends(expired, 0, State::kDropped, DropReason::kRefused) == 1);
  CHECK(ends(expired, 0, State::kExpired) == 0);
  CHECK(state(expired) == 0);
  CHECK(ends(expired, 1, State::kExpired) == 1);
  CHECK(state(expired) == 3);
  CHECK(ends(taken, 0, State::kDelivered) == 1);
  CHECK(ends(taken, 1, State::kExpired) == 1);
  CHECK(state(taken) == 2);
  CHECK(query("SELECT count(*) FROM drops") == 0);
  CHECK(balanced());
}

}  // namespace tulpar::queue
