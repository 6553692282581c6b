// SPDX-License-Identifier: Apache-2.0
#include "queue/store.hpp"

#include <fstream>

#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {
namespace {

constexpr std::uint64_t kPacket = 0x7efeee0000000042;

struct Fixture : StoreFixture {
  NewMessage packet(PeerId to, PeerId from) {
    NewMessage made = message();
    made.packet = kPacket;
    made.peer = to;
    made.origin = from;
    made.sinks = to == kEdge ? 1 : 0;
    return made;
  }
  std::int64_t bodies() { return query("SELECT count(*) FROM body"); }
  std::int64_t erase(Millis keep, Millis story = std::chrono::hours(24 * 14), std::int64_t limit = 500) {
    return run([=](Store& s) { return s.erase_old(keep, story, limit); });
  }
  void deliver(MessageId id) {
    const SettledBatch batch{.number = 1, .plain = {}, .messages = {{id, 10}}};
    run([&](Store& s) { s.settle(peer, link, batch); });
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "Numbers begin at 1 and a restart never gives one again") {
  CHECK(accept(message()).entry.number == 1);
  CHECK(accept(message()).entry.number == 2);
  reopen();
  const auto third = accept(message()).entry.number;
  CHECK(third > 2);
  CHECK(accept(message()).entry.number == third + 1);
}

TEST_CASE_METHOD(Fixture, "Each peer has numbers of its own and the edge has none") {
  const PeerId other = run([](Store& s) { return s.peer("other"); });
  accept(message());
  NewMessage to_other = message();
  to_other.peer = other;
  CHECK(accept(to_other).entry.number == 1);
  CHECK(accept(packet(kEdge, peer)).entry.number == 0);
}

TEST_CASE_METHOD(Fixture, "A block that runs out is followed by the next, and what is set aside stays") {
  const auto accept_many = [&](std::uint64_t count) {
    const std::vector<NewMessage> many(count, message());
    return run([&](Store& s) { return s.accept(many); }).back().entry.number;
  };
  CHECK(accept_many(first_aside(1) - 1) == first_aside(1) - 1);
  CHECK(query("SELECT number_end FROM peer") == static_cast<std::int64_t>(kNumberBlock));
  CHECK(accept_many(1) == kNumberBlock);
  CHECK(query("SELECT number_end FROM peer") == static_cast<std::int64_t>(2 * kNumberBlock));
}

TEST_CASE_METHOD(Fixture, "A message may come with a number that was set aside") {
  auto early = message();
  early.number = first_aside(1);
  CHECK(accept(early).entry.number == early.number);
  CHECK(accept(message()).entry.number == 1);
  const auto queued = run([&](Store& s) { return s.load_send(peer); }).queued;
  REQUIRE(queued.size() == 2);
  CHECK(queued.front().number == early.number);
}

TEST_CASE_METHOD(Fixture, "What is set aside is reserved on disk before anything was accepted") {
  const auto next = run([&](Store& s) { return s.load_send(peer); }).next_message;
  CHECK(query("SELECT number_end FROM peer") == static_cast<std::int64_t>(block_end(next)));
  reopen();
  CHECK(run([&](Store& s) { return s.load_send(peer); }).next_message == block_end(next));
}

TEST_CASE_METHOD(Fixture, "A failed group leaves nothing and its numbers are not given again") {
  const auto before = accept(message()).entry;
  std::uint64_t given = 0;
  CHECK_THROWS_AS(run([&](Store& s) {
                    given = s.accept(std::vector(3, message())).back().entry.number;
                    throw StoreError("no", SQLITE_FULL);
                  }),
                  StoreError);
  CHECK(query("SELECT count(*) FROM message") == 1);
  CHECK(query("SELECT sum(accepted) FROM book") == 1);
  CHECK(accept(message()).entry.number > given);
  CHECK(before.number == 1);
}

TEST_CASE_METHOD(Fixture, "A Meshtastic packet is stored once towards a peer") {
  CHECK_FALSE(accept(packet(peer, kEdge)).duplicate);
  const auto copy = accept(packet(peer, kEdge));
  CHECK(copy.duplicate);
  CHECK(copy.entry.id == 0);
  CHECK(query("SELECT duplicates FROM book WHERE edge = 0") == 1);
  CHECK(balanced());
}

TEST_CASE_METHOD(Fixture, "What came down never goes up again and what went up never comes back down") {
  SECTION("down, then heard on the mesh") {
    CHECK_FALSE(accept(packet(kEdge, peer)).duplicate);
    CHECK(accept(packet(peer, kEdge)).duplicate);
  }
  SECTION("up, then sent down") {
    CHECK_FALSE(accept(packet(peer, kEdge)).duplicate);
    CHECK(accept(packet(kEdge, peer)).duplicate);
  }
}

TEST_CASE_METHOD(Fixture, "A packet that two gateways heard goes to the sinks once, and to a third mesh") {
  const PeerId second = run([](Store&s) { return s.peer("second"); }),
               third = run([](Store&s) { return s.peer("third"); });
  CHECK_FALSE(accept(packet(kEdge, peer)).duplicate);
  CHECK(accept(packet(kEdge, second)).duplicate);
  CHECK_FALSE(accept(packet(third, kEdge)).duplicate);
  CHECK(accept(packet(second, kEdge)).duplicate);
}

TEST_CASE_METHOD(Fixture, "A packet is remembered for 30 days") {
  accept(packet(peer, kEdge));
  clock.advance(std::chrono::days(30));
  erase(std::chrono::hours(1));
  CHECK(accept(packet(peer, kEdge)).duplicate);
  clock.advance(std::chrono::days(1));
  erase(std::chrono::hours(1));
  CHECK_FALSE(accept(packet(peer, kEdge)).duplicate);
}

TEST_CASE_METHOD(Fixture,
                 "A packet heard under an unbelievable clock is remembered from when the clock is known") {
  TempDir fresh;
  clock.trust(false);
  path = fresh / "store.db";
  reopen();
  peer = run([](Store& s) { return s.peer("relay"); });
  accept(packet(peer, kEdge));
  clock.advance(std::chrono::days(60));
  erase(std::chrono::hours(1));
  CHECK(accept(packet(peer, kEdge)).duplicate);
  clock.trust(true);
  erase(std::chrono::hours(1));
  clock.advance(std::chrono::days(29));
  erase(std::chrono::hours(1));
  CHECK(accept(packet(peer, kEdge)).duplicate);
  clock.advance(std::chrono::days(2));
  erase(std::chrono::hours(1));
  CHECK_FALSE(accept(packet(peer, kEdge)).duplicate);
  store.reset();
}

TEST_CASE_METHOD(Fixture, "A message in flight does not end until it is given back") {
  const auto id = accept(message()).entry.id;
  run([&](Store& s) { s.mark_in_flight(std::span(&id, 1), 7); });
  const Finished end{id, State::kExpired};
  CHECK(run([&](Store& s) { return s.finish(std::span(&end, 1)); }) == 0);
  CHECK_FALSE(run([&](Store& s) { return s.reclassify(id, 2); }));
  run([&](Store& s) { s.mark_queued(std::span(&id, 1)); });
  CHECK(run([&](Store& s) { return s.finish(std::span(&end, 1)); }) == 1);
  CHECK(run([&](Store& s) { return s.finish(std::span(&end, 1)); }) == 0);
  CHECK(bodies() == 0);
  CHECK(balanced());
}

TEST_CASE_METHOD(Fixture, "A message owed to two sinks is delivered when both have it") {
  CHECK(run([](Store& s) { return s.set_sinks({"a", "b"}); }) == std::vector{0, 1});
  NewMessage made = packet(kEdge, peer);
  made.sinks = 3;
  made.flagged = true;
  const auto id = accept(made).entry.id;
  reopen();
  auto edge = store->load_edge();
  REQUIRE(edge.size() == 1);
  CHECK(edge[0].second == 3);
  CHECK(edge[0].first.flagged);
  CHECK(run([&](Store& s) { return s.deliver_to_sink(std::span(&id, 1), 0); }) == 1);
  CHECK(run([&](Store& s) { return s.deliver_to_sink(std::span(&id, 1), 0); }) == 0);
  CHECK(store->load_edge().at(0).second == 2);
  run([&](Store& s) { return s.release(std::span(&id, 1), 1, DropReason::kConsent); });
  CHECK(query("SELECT state FROM message") == static_cast<int>(State::kDelivered));
  CHECK(balanced());
}

TEST_CASE_METHOD(Fixture, "What no sink takes is dropped with the reason") {
  const auto id = accept(packet(kEdge, peer)).entry.id;
  run([&](Store& s) { return s.release(std::span(&id, 1), 0, DropReason::kConsent); });
  CHECK(query("SELECT count FROM drops WHERE reason = 6") == 1);
  CHECK(balanced());
}

TEST_CASE_METHOD(Fixture, "More sinks than bits are refused") {
  std::vector<std::string> names;
  for (int i = 0; i < 63; ++i) names.push_back(std::to_string(i));
  CHECK(run([&](Store& s) { return s.set_sinks(names); }).back() == 62);
  names.push_back("one more");
  CHECK_THROWS_AS(run([&](Store& s) { return s.set_sinks(names); }), StoreError);
}

TEST_CASE_METHOD(Fixture, "A message for no sink ends here and is counted as delivered") {
  NewMessage made = message();
  made.peer = kEdge;
  CHECK(accept(made).entry.id == 0);
  CHECK(query("SELECT delivered FROM book WHERE edge = 1") == 1);
  CHECK(balanced());
}

TEST_CASE_METHOD(Fixture, "What policy keeps back is counted and not stored") {
  NewMessage made = message();
  made.drop = DropReason::kPolicy;
  CHECK(accept(made).entry.id == 0);
  CHECK(query("SELECT count(*) FROM message") == 0);
  CHECK(query("SELECT count FROM drops WHERE reason = 4") == 1);
  CHECK(balanced());
}

TEST_CASE_METHOD(Fixture, "A delivered body is erased when its hour is over and not before") {
  const auto id = accept(message()).entry.id;
  deliver(id);
  clock.advance(std::chrono::minutes(59));
  erase(std::chrono::hours(1));
  CHECK(bodies() == 1);
  clock.advance(std::chrono::minutes(1));
  CHECK(erase(std::chrono::hours(1)) == 1);
  CHECK(bodies() == 0);
  CHECK(query("SELECT count(*) FROM message") == 1);
}

TEST_CASE_METHOD(Fixture, "Erasing touches at most as many rows as asked") {
  for (int i = 0; i < 10; ++i) deliver(accept(message()).entry.id);
  clock.reboot("boot-2", std::chrono::hours(2));
  reopen();
  for (int i = 0; i < 10; ++i) deliver(accept(message()).entry.id);
  clock.advance(std::chrono::hours(2));
  CHECK(erase(std::chrono::hours(1), std::chrono::hours(1), 7) == 7);
  for (int i = 0; i < 10; ++i) CHECK(erase(std::chrono::hours(1), std::chrono::hours(1), 7) <= 7);
  CHECK(bodies() == 0);
  CHECK(query("SELECT count(*) FROM message") == 0);
}

TEST_CASE_METHOD(Fixture, "Old stories go although older messages are still queued") {
  accept(message());
  for (int i = 0; i < 5; ++i) deliver(accept(message()).entry.id);
  clock.advance(std::chrono::days(15));
  for (int i = 0; i < 10; ++i) erase(std::chrono::hours(1), std::chrono::days(14), 2);
  CHECK(query("SELECT count(*) FROM message WHERE state >= 2") == 0);
  CHECK(query("SELECT count(*) FROM message WHERE state < 2") == 1);
}

TEST_CASE_METHOD(Fixture, "A story that ended under an unbelievable clock goes, too") {
  clock.trust(false);
  deliver(accept(message()).entry.id);
  clock.advance(std::chrono::days(100));
  erase(std::chrono::hours(1));
  CHECK(query("SELECT count(*) FROM message") == 1);
  clock.trust(true);
  erase(std::chrono::hours(1));
  clock.advance(std::chrono::days(15));
  erase(std::chrono::hours(1));
  CHECK(query("SELECT count(*) FROM message") == 0);
}

TEST_CASE_METHOD(Fixture, "Invented node names share one account beyond a bound and never fail") {
  store->database().execute(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 65536) "
      "INSERT INTO node(name) SELECT 'n' || i FROM n");
  NewMessage made = message();
  made.node = "one too many";
  CHECK(accept(made).entry.node == 0);
  made.node = "n7";
  CHECK(accept(made).entry.node == 7);
}

TEST_CASE_METHOD(Fixture, "Messages of a class that is no longer configured go with the last one") {
  NewMessage made = message();
  made.cls = 3;
  accept(made);
  store.reset();
  store = Store::open(path, {"emergency", "message"}, clock).value();
  CHECK(run([&](Store& s) { return s.load_send(peer); }).queued.at(0).cls == 1);
}

TEST_CASE_METHOD(Fixture, "A store of a newer version is refused in words and left alone") {
  store->database().execute("PRAGMA user_version = 99");
  store.reset();
  const auto opened = Store::open(path, kClassNames, clock);
  REQUIRE(opened.has_error());
  CHECK(opened.error().message.find("version 99") != std::string::npos);
  CHECK(Database(path, Database::Mode::kReadOnly).query_int("PRAGMA user_version") == 99);
}

TEST_CASE_METHOD(Fixture, "A path that cannot be written is refused in words") {
  const auto opened = Store::open(dir / "no/such/folder/store.db", kClassNames, clock);
  REQUIRE(opened.has_error());
  CHECK(opened.error().message.find("no/such/folder") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "A group of which the broker repeats nothing loses no mark") {
  const BrokerMark mark{7, 42};
  run([&](Store& s) { s.remember("mesh", std::span(&mark, 1)); });
  // Whatever was inserted last into another table has a number far above those of the marks.
  store->database().execute("INSERT INTO seen(id, packet, scope, day) VALUES(1000000, 1, 1, 1)");
  run([](Store& s) { s.remember("mesh", {}); });
  CHECK(run([](Store& s) { return s.marks("mesh"); }).size() == 1);
}

TEST_CASE_METHOD(Fixture, "A million packets are remembered at most, whatever the clock says") {
  clock.trust(GENERATE(true, false));
  accept(packet(peer, kEdge));
  const auto oldest = query("SELECT min(id) FROM seen");
  const auto insert = [&](std::int64_t id) {
    store->database().execute("INSERT INTO seen(id, packet, scope, day) SELECT " + std::to_string(id) + ", " +
                              std::to_string(id) + ", 1, max(day) FROM seen");
  };
  insert(oldest + 999'999);
  erase(std::chrono::hours(1));
  CHECK(accept(packet(peer, kEdge)).duplicate);
  insert(oldest + 1'000'000);
  CHECK(erase(std::chrono::hours(1)) == 1);  // counted, so that a flood is followed at once
  CHECK_FALSE(accept(packet(peer, kEdge)).duplicate);
}

TEST_CASE_METHOD(Fixture, "What was erased stands in no file once the log is emptied") {
  const auto found = [&](const char* text) {
    int files = 0;
    for (const auto* suffix : {"", "-wal"}) {
      std::ifstream in(path + suffix, std::ios::binary);
      const std::string all{std::istreambuf_iterator<char>(in), {}};
      files += all.find(text) != std::string::npos;
    }
    return files;
  };
  const auto delivered = accept(message("t", "delivered secret")).entry.id;
  const auto dropped = accept(message("t", "dropped secret")).entry.id;
  accept(message("t", "kept words"));
  deliver(delivered);
  const Finished end{dropped, State::kDropped, DropReason::kOperator};
  run([&](Store& s) { s.finish(std::span(&end, 1)); });
  clock.advance(std::chrono::hours(2));
  store->tidy();
  CHECK(found("delivered secret") > 0);  // not due before erase_old()
  CHECK(found("dropped secret") > 0);
  erase(std::chrono::hours(1));
  {
    // A reader in the middle of a list: nobody waits, the next round does it.
    Database other(path, Database::Mode::kReadOnly);
    Statement rows(other, "SELECT id FROM message");
    CHECK(rows.step());
    store->tidy();
    CHECK(found("delivered secret") > 0);
  }
  erase(std::chrono::hours(1));
  store->tidy();
  CHECK(found("delivered secret") == 0);
  CHECK(found("dropped secret") == 0);
  CHECK(found("kept words") > 0);
}

TEST_CASE_METHOD(Fixture, "Empty pages are given back in small steps and some are kept") {
  CHECK(query("PRAGMA auto_vacuum") == 2);
  std::vector<MessageId> ids;
  for (int i = 0; i < 80; ++i) ids.push_back(accept(message("t", std::string(100'000, 'x'))).entry.id);
  for (const auto id : ids) {
    const Finished end{id, State::kDropped, DropReason::kOperator};
    run([&](Store& s) { s.finish(std::span(&end, 1)); });
  }
  const auto full = query("PRAGMA page_count");
  REQUIRE(query("PRAGMA freelist_count") > 1024 + 256);
  erase(std::chrono::hours(1));
  store->tidy();
  CHECK(query("PRAGMA page_count") <= full - 256);
  CHECK(query("PRAGMA page_count") > full - 270);
  for (int i = 0; i < 20; ++i) {
    erase(std::chrono::hours(1));
    store->tidy();
  }
  CHECK(query("PRAGMA freelist_count") <= 1024);
  CHECK(query("PRAGMA freelist_count") > 1024 - 256);
}

}  // namespace tulpar::queue
