// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {
namespace {

struct Fixture : StoreFixture {
  NewMessage arrived(std::uint64_t number) {
    NewMessage made = message("down", "x");
    made.peer = kEdge;
    made.sinks = 1;
    made.origin = peer;
    made.origin_number = number;
    return made;
  }
  std::size_t receive(std::uint64_t batch, std::uint64_t settled, const std::vector<std::uint64_t>& numbers,
                      std::size_t history = 0) {
    ReceivedBatch made{.life = 5,
                       .number = batch,
                       .settled = settled,
                       .enters_history = history > 0,
                       .plain = Bytes(history, 'p'),
                       .messages = {}};
    for (const auto number : numbers) made.messages.push_back(arrived(number));
    return run([&](Store& s) { return s.receive(peer, link, made); }).accepted.size();
  }
  ReceiveState received() {
    return run([&](Store& s) { return s.load_receive(peer); });
  }
  SendState sending() {
    return run([&](Store& s) { return s.load_send(peer); });
  }
  SettledBatch settled(std::uint64_t number, std::vector<SettledBatch::Cost> costs, std::size_t history = 0) {
    return {.number = number,
            .floor = number + 1,
            .enters_history = history > 0,
            .plain = Bytes(history, 'p'),
            .messages = std::move(costs)};
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "A batch is stored once and its messages each once") {
  CHECK(receive(1, 1, {1, 2, 3}) == 3);
  CHECK(receive(1, 1, {1, 2, 3}) == 0);
  CHECK(receive(2, 1, {3, 4}) == 1);
  reopen();
  CHECK(receive(2, 1, {3, 4}) == 0);
  CHECK(receive(3, 1, {4, 5}) == 1);
  CHECK(query("SELECT count(*) FROM message") == 5);
  CHECK(query("SELECT duplicates FROM book WHERE edge = 1") == 2);
  CHECK(balanced());
}

TEST_CASE_METHOD(Fixture, "The settled mark forgets intervals and is never undone by an older batch") {
  receive(1, 1, {5, 9, 20});
  CHECK(received().numbers.runs().size() == 3);
  receive(2, 10, {30});
  reopen();
  const auto numbers = received().numbers;
  CHECK(numbers.low() == 10);
  CHECK(numbers.runs() == std::map<std::uint64_t, std::uint64_t>{{20, 21}, {30, 31}});
  CHECK(receive(3, 2, {7, 11}) == 1);
}

TEST_CASE_METHOD(Fixture, "Voided numbers are closed over a restart and cut from the history") {
  receive(1, 1, {1}, 10);
  receive(2, 1, {2}, 10);
  run([&](Store& s) { s.void_batches(peer, 2, 3, 9); });
  reopen();
  auto state = received();
  CHECK(state.batches.low() == 5);
  REQUIRE(state.history.size() == 1);
  CHECK(state.history[0].batch == 1);
  CHECK(receive(4, 1, {9}) == 0);
}

TEST_CASE_METHOD(Fixture, "A new life of the peer begins with nothing known but its floor") {
  receive(1, 1, {1, 2}, 10);
  receive(7, 1, {9}, 10);
  run([&](Store& s) { s.reset_receive(peer, 77, 4); });
  reopen();
  auto state = received();
  CHECK(state.incarnation == 77);
  CHECK(state.numbers.low() == 1);
  CHECK(state.numbers.runs().empty());
  CHECK(state.batches.low() == 4);
  CHECK(state.batches.runs().empty());
  CHECK(state.history.empty());
}

TEST_CASE_METHOD(Fixture, "Starts are named until the peer has a number of one") {
  const auto first = sending();
  REQUIRE(first.lives.size() == 1);
  reopen();
  const auto second = sending();
  REQUIRE(second.lives.size() == 2);
  CHECK(second.lives[0] == SenderLife{first.lives[0].name, block_end(first.next_message), first.batch_end});
  CHECK(second.lives[1].name != first.lives[0].name);
  CHECK((first.lives[0].name != 0 && second.lives[1].name != 0));
  // Numbers of the life before say nothing about this one.
  run([&](Store& s) { s.raise_floor(peer, second.batch_next); });
  reopen();
  const auto third = sending();
  CHECK(third.lives.size() == 3);
  run([&](Store& s) { s.raise_floor(peer, third.batch_next + 1); });
  reopen();
  const auto fourth = sending().lives;
  REQUIRE(fourth.size() == 2);
  CHECK(fourth[0].name == third.lives[2].name);
}

TEST_CASE_METHOD(Fixture, "Of many starts without contact the one that the peer has is kept") {
  const auto known = sending().lives.at(0).name;
  std::vector<SenderLife> lives;
  for (std::size_t i = 0; i < kMostLives + 3; ++i) {
    reopen();
    lives = sending().lives;
  }
  CHECK(lives.size() == kMostLives);
  CHECK(lives.front().name == known);
  std::set<std::uint32_t> names;
  for (const auto& life : lives) names.insert(life.name);
  CHECK(names.size() == kMostLives);
}

TEST_CASE_METHOD(Fixture, "The peer's life is written with what it changes, and forgotten with its numbers") {
  const auto life = [&] {
    reopen();
    return received().life;
  };
  CHECK(life() == 0);
  receive(1, 1, {1});
  CHECK(life() == 5);
  run([&](Store& s) { s.void_batches(peer, 1, 1, 6); });
  CHECK(life() == 5);
  run([&](Store& s) { s.void_batches(peer, 2, 1, 7); });
  CHECK(life() == 7);
  run([&](Store& s) { s.reset_receive(peer, 77, 4); });
  CHECK(life() == 0);
}

TEST_CASE_METHOD(Fixture, "A batch of another life is refused whole") {
  run([&](Store& s) { s.reset_receive(peer, 77, 1); });
  CHECK_THROWS_AS(receive(1, 1, {1}), StoreError);
  CHECK(query("SELECT count(*) FROM message") == 0);
}

TEST_CASE_METHOD(Fixture, "History keeps what a base needs and no more") {
  for (std::uint64_t batch = 1; batch <= 30; ++batch) receive(batch, 1, {batch}, 20'000);
  CHECK(query("SELECT count(*) FROM history WHERE outgoing = 0") == 14);
  for (std::uint64_t batch = 1; batch <= 30; ++batch)
    run([&](Store& s) { s.settle(peer, link, settled(batch, {}, 20'000)); });
  CHECK(query("SELECT count(*) FROM history WHERE outgoing = 1") == 7);
  CHECK(received().history.front().batch == 17);
}

TEST_CASE_METHOD(Fixture,
                 "What is settled before the history is cleared, and committed after it, stays out of it") {
  sending();
  run([&](Store& s) { s.settle(peer, link, settled(1, {}, 10)); });
  CHECK_THROWS_AS(run([&](Store& s) {
                    s.clear_history(peer, 4);
                    throw StoreError("no", SQLITE_FULL);
                  }),
                  StoreError);
  CHECK(query("SELECT count(*) FROM history WHERE outgoing = 1") == 1);
  run([&](Store& s) { s.clear_history(peer, 4); });
  // Those that failed are tried again, in any order.
  run([&](Store& s) { s.settle(peer, link, settled(3, {}, 10)); });
  CHECK(query("SELECT count(*) FROM history WHERE outgoing = 1") == 0);
  run([&](Store& s) {
    s.clear_history(peer, 2);
    s.settle(peer, link, settled(2, {}, 10));
    s.settle(peer, link, settled(4, {}, 10));
  });
  CHECK(query("SELECT sum(batch) FROM history WHERE outgoing = 1") == 4);
}

TEST_CASE_METHOD(Fixture, "A new start voids what was not settled, reserves fresh numbers and queues again") {
  const auto first = sending();
  CHECK(first.batch_next == 1);
  CHECK(first.batch_end > 32);
  const auto id = accept(message()).entry.id;
  run([&](Store& s) { s.mark_in_flight(std::span(&id, 1), 3); });
  run([&](Store& s) { s.settle(peer, link, settled(1, {}, 10)); });
  run([&](Store& s) {
    s.settle(peer, link, {.number = 3, .floor = 2, .enters_history = true, .plain = Bytes(5), .messages = {}});
  });
  reopen();
  const auto second = sending();
  CHECK(second.incarnation == first.incarnation);
  CHECK(second.batch_floor == 2);
  CHECK(second.batch_next == first.batch_end);
  CHECK(second.batch_end > second.batch_next);
  REQUIRE(second.queued.size() == 1);
  CHECK(second.queued[0].number == 1);
  CHECK(second.next_message > 1);
  REQUIRE(second.history.size() == 1);
  CHECK(second.history[0].batch == 1);
  CHECK(query("SELECT count(*) FROM message WHERE state = 1") == 0);
}

TEST_CASE_METHOD(Fixture, "A floor never falls and a renewed name keeps the numbers") {
  const auto before = sending();
  run([&](Store& s) { s.raise_floor(peer, 9); });
  run([&](Store& s) { s.raise_floor(peer, 5); });
  run([&](Store& s) {
    s.settle(peer, link, {.number = 3, .floor = 4, .enters_history = true, .plain = Bytes(5), .messages = {}});
  });
  const auto name = run([&](Store& s) { return s.renew_incarnation(peer); });
  const auto after = sending();
  CHECK(after.batch_floor == 9);
  CHECK(after.incarnation == name);
  CHECK(name != before.incarnation);
  CHECK((name > 0 && name < std::uint64_t{1} << 62));
  CHECK(after.history.empty());
}

TEST_CASE_METHOD(Fixture, "Wire bytes are spread over what was settled and add up exactly") {
  std::vector<SettledBatch::Cost> costs;
  for (int i = 0; i < 7; ++i) {
    auto made = message("t", std::string(static_cast<std::size_t>(i) * 13, 'x'));
    made.node = fmt::format("node-{}", i % 3);
    costs.push_back({accept(made).entry.id, i * i});
  }
  run([&](Store& s) {
    s.settle(peer, link, settled(1, costs));
    s.book(link, {.wire_up = 1009, .wire_down = 97});
  });
  CHECK(query("SELECT sum(wire_bytes) FROM message") == 1106);
  for (const int resolution : {300, 3600, 86'400, 0}) {
    CHECK(query(fmt::format("SELECT sum(wire_up) FROM usage WHERE resolution = {}", resolution)) == 1009);
    CHECK(query(fmt::format("SELECT sum(wire_down) FROM usage WHERE resolution = {}", resolution)) == 97);
    CHECK(query(fmt::format("SELECT sum(frame) FROM usage WHERE resolution = {}", resolution)) == 91);
    CHECK(query(fmt::format("SELECT sum(messages) FROM usage WHERE resolution = {}", resolution)) == 7);
  }
  CHECK(query("SELECT count(*) FROM usage WHERE class = -1") == 0);
  CHECK(query("SELECT wire_up FROM link") == 1009);
  CHECK(query("SELECT frame_up FROM link") == 91);
}

TEST_CASE_METHOD(Fixture, "Wire bytes that no message caused stand under no class") {
  run([&](Store& s) { s.book(link, {.wire_up = 500, .wire_down = 400, .session_opens = 1}); });
  CHECK(query("SELECT wire_up FROM usage WHERE resolution = 300 AND class = -1") == 500);
  CHECK(query("SELECT session_opens FROM link") == 1);
}

TEST_CASE_METHOD(Fixture, "A failed group books no byte") {
  CHECK_THROWS_AS(run([&](Store& s) {
                    s.book(link, {.wire_up = 500});
                    throw StoreError("no", SQLITE_FULL);
                  }),
                  StoreError);
  run([](Store&) {});
  CHECK(query("SELECT wire_up FROM link") == 0);
  CHECK(query("SELECT count(*) FROM usage") == 0);
}

TEST_CASE_METHOD(Fixture, "A sender's gaps are bounded and one that fills them goes on") {
  // As 65,536 batches would leave it.
  store->database().execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 65536) "
      "INSERT INTO received(peer, first, end) SELECT " +
      std::to_string(peer) + ", 10 * i, 10 * i + 1 FROM n");
  CHECK_THROWS_AS(receive(1, 1, {700'000}), StoreError);
  CHECK(query("SELECT count(*) FROM message") == 0);
  CHECK_FALSE(received().batches.contains(1));
  CHECK(receive(1, 1, {11, 655'361}) == 2);  // grows intervals
  CHECK_THROWS_AS(receive(2, 1, {700'000}), StoreError);
  CHECK(receive(2, 11, {700'000}) == 1);  // settled: the oldest is forgotten
  CHECK(received().numbers.runs().size() == 65'536);
  const auto kept = received().numbers.runs();
  reopen();
  CHECK(received().numbers.runs() == kept);
  CHECK(balanced());
}

}  // namespace tulpar::queue
