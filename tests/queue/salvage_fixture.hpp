// SPDX-License-Identifier: Apache-2.0
//
// A store with something of everything in it, its files as bytes to be damaged, and an oracle that knows which
// pages hold which message.
//
// The oracle asks SQLite's own dbstat, so that it shares no code with what it judges.
#pragma once

#include <fmt/format.h>

#include <fstream>
#include <map>
#include <set>

#include "queue/salvage.hpp"
#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
inline void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// What waits, as the test knows it.
struct Waiting {
  MessageId id = 0;
  std::string peer;  // empty: for the sinks
  std::string cls, payload;
  std::uint64_t owed = 0;
  std::set<std::size_t> pages{};  // that hold it
};

struct SalvageFixture : StoreFixture {
  static constexpr std::size_t kPage = 4096;
  std::map<std::string, Waiting> waiting;  // by topic
  std::set<std::size_t>
      plain_bytes;                // pages that hold nothing but bytes of a payload: no check sees them change
  std::uint64_t last_number = 0;  // given towards any peer
  std::uint64_t batch_end = 0;
  std::uint64_t incarnation = 0;  // ours towards "relay"
  MessageId last_id = 0;
  PeerId camp = commit(*store, [](Store& s) { return s.peer("camp"); });

  // `count` messages of all kinds and sizes: a third for either peer, a third for three sinks; some finished.
  void fill(int count) {
    run([](Store& s) { s.set_sinks({"a", "b", "c"}); });
    for (int i = 0; i < count; ++i) add(i);
    run([&](Store& s) {
      batch_end = s.load_send(peer).batch_end;
      s.reset_receive(peer, 77, 5);
      const ReceivedBatch batch{.incarnation = 77,
                                .number = 9,
                                .settled = 3,
                                .enters_history = true,
                                .plain = Bytes(500, 7),
                                .messages = {}};
      s.receive(peer, link, batch);
      s.book(link, LinkBytes{.wire_up = 1000, .wire_down = 300});
      const BrokerMark mark{7, 42};
      s.remember("mesh", std::span(&mark, 1));
    });
    incarnation = static_cast<std::uint64_t>(query("SELECT own_incarnation FROM peer WHERE name = 'relay'"));
  }

  // Closes the store; the file alone has everything then.
  std::string close() {
    find_pages();
    store.reset();
    return read_file(path);
  }
  std::optional<Salvaged> open_damaged(const std::string& bytes) {
    store.reset();
    for (const auto* suffix : {"-wal", "-shm"}) std::filesystem::remove(path + suffix);
    write_file(path, bytes);
    return reopen_damaged();
  }
  std::optional<Salvaged> reopen_damaged() {
    std::optional<Salvaged> salvaged;
    auto opened = Store::open(path, kClassNames, clock, &salvaged);
    INFO((opened ? "" : opened.error().message));
    REQUIRE(opened.has_value());
    store = std::move(*opened);
    return salvaged;
  }

  // Everything that must hold after any damage.
  void check_sound() {
    Statement check(store->database(), "PRAGMA integrity_check");
    REQUIRE(check.step());
    REQUIRE(check.text(0) == "ok");
    REQUIRE(balanced());
    REQUIRE(query("SELECT count(*) FROM body WHERE id NOT IN (SELECT id FROM message WHERE state < 2)") == 0);
    REQUIRE(
        query(
            "SELECT count(*) - count(DISTINCT peer || '-' || number) FROM message WHERE state < 2 AND peer") ==
        0);
  }
  // New numbers are above all that were ever given.
  void check_numbers(bool named = true) {
    NewMessage fresh = message("after", "x");
    fresh.peer = run([](Store& s) { return s.peer("relay"); });
    const auto entry = accept(fresh).entry;
    REQUIRE(entry.id > last_id);
    const auto send = run([&](Store& s) { return s.load_send(fresh.peer); });
    REQUIRE(send.incarnation != incarnation);
    if (!named) return;
    REQUIRE(entry.number > last_number);
    REQUIRE(send.batch_floor >= batch_end);
    REQUIRE(send.batch_next >= send.batch_floor);
    REQUIRE(send.history.empty());
    for (const auto& one : send.queued) REQUIRE(one.number > last_number);
  }
  // Where these tables and indexes begin.
  std::set<std::size_t> roots(const std::vector<std::string>& names) {
    std::set<std::size_t> pages;
    Statement root(store->database(), "SELECT rootpage FROM sqlite_schema WHERE name = ?1");
    for (const auto& name : names) {
      REQUIRE(root(name).step());
      pages.insert(static_cast<std::size_t>(root.integer(0)));
    }
    return pages;
  }
  // The message waits as it did; `named`: for the same peer, in the same class.
  bool waits(const std::string& topic, bool named = true) {
    const auto& was = waiting.at(topic);
    Statement row(
        store->database(),
        "SELECT coalesce((SELECT name FROM peer WHERE id = m.peer), ''), (SELECT name FROM class WHERE id = "
        "m.class), payload, owed, m.state FROM message m JOIN body b ON b.id = m.id WHERE m.id = ?1 AND "
        "topic = ?2");
    return row(was.id, topic).step() && as_text(row.blob(2)) == was.payload && row.number(3) == was.owed &&
           row.integer(4) < 2 && (!named || (row.text(0) == was.peer && row.text(1) == was.cls));
  }
  // How many of those that have nothing on these pages do not wait any more.
  int lost_besides(const std::set<std::size_t>& damaged, bool named = true) {
    int lost = 0;
    for (const auto& [topic, was] : waiting) {
      const bool hit = std::any_of(was.pages.begin(), was.pages.end(),
                                   [&](std::size_t page) { return damaged.contains(page); });
      if (!hit && !waits(topic, named)) ++lost;
    }
    return lost;
  }

 private:
  void add(int i) {
    static constexpr std::size_t kSizes[] = {0, 1, 20, 60, 150, 700, 4000, 9000};
    NewMessage made = message(fmt::format("topic/{}", i), "");
    made.payload.resize(kSizes[i % 8]);
    for (std::size_t k = 0; k < made.payload.size(); ++k)
      made.payload[k] = static_cast<std::uint8_t>(1 + (i * 31 + k * 7) % 255);
    made.cls = static_cast<ClassId>(i % 5);
    made.node = fmt::format("node-{}", i % 17);
    made.packet = i % 2 ? 1000u + static_cast<unsigned>(i) : 0;
    if (i % 3 == 0) made.peer = camp;
    if (i % 3 == 1) {
      made.peer = kEdge;
      made.sinks = 1 + i % 7;
      made.origin = peer;
      made.origin_incarnation = 77;
      made.origin_number = static_cast<std::uint64_t>(i) + 1;
    }
    const Entry entry = accept(made).entry;
    last_number = std::max(last_number, entry.number);
    last_id = std::max(last_id, entry.id);
    if (i % 4 == 3) return finish(entry.id, made);
    if (made.peer != kEdge && i % 5 == 0) run([&](Store& s) { s.mark_in_flight(std::span(&entry.id, 1), 1); });
    const std::string name = made.peer == kEdge ? "" : made.peer == camp ? "camp" : "relay";
    waiting[made.topic] = {entry.id, name, kClassNames[made.cls], std::string(as_text(made.payload)),
                           made.sinks};
  }
  void finish(MessageId id, const NewMessage& made) {
    const Finished end{id, State::kExpired};
    if (made.peer == kEdge || id % 2)
      run([&](Store& s) { s.finish(std::span(&end, 1)); });
    else
      run([&](Store& s) { s.settle(made.peer, link, {.number = 1, .plain = {}, .messages = {{id, 50}}}); });
  }
  void find_pages() {
    std::map<MessageId, std::set<std::size_t>> pages;
    for (const char* table : {"message", "body"}) {
      std::vector<MessageId> ids;
      Statement order(store->database(), fmt::format("SELECT id FROM {} ORDER BY id", table));
      while (order.step()) ids.push_back(order.integer(0));
      std::map<std::string, std::size_t> first;  // of a leaf's rows, by its path
      std::size_t next = 0;
      Statement leaves(
          store->database(),
          "SELECT path, pageno, ncell FROM dbstat WHERE name = ?1 AND pagetype = 'leaf' ORDER BY path");
      for (leaves(table); leaves.step();) {
        first[leaves.text(0)] = next;
        for (std::int64_t i = 0; i < leaves.integer(2); ++i)
          pages[ids.at(next++)].insert(static_cast<std::size_t>(leaves.integer(1)));
      }
      REQUIRE(next == ids.size());
      Statement more(store->database(),
                     "SELECT path, pageno FROM dbstat WHERE name = ?1 AND pagetype = 'overflow'");
      for (more(table); more.step();) {
        plain_bytes.insert(static_cast<std::size_t>(more.integer(1)));
        // PATH/CELL+NUMBER
        const std::string path = more.text(0);
        const auto plus = path.rfind('+'), slash = path.rfind('/');
        const auto cell = std::stoul(path.substr(slash + 1, plus - slash - 1), nullptr, 16);
        pages[ids.at(first.at(path.substr(0, slash + 1)) + cell)].insert(
            static_cast<std::size_t>(more.integer(1)));
      }
    }
    for (auto& [topic, was] : waiting) was.pages = pages.at(was.id);
  }
};

}  // namespace tulpar::queue
