// SPDX-License-Identifier: Apache-2.0
//
// A store on a machine whose clock goes wrong: the time that really passes, and what the clocks say of it.
#pragma once

#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {

// What FakeClock says is the truth; the wall shows it with an error.
class SteppedClock : public FakeClock {
 public:
  WallTime wall() const override { return FakeClock::wall() + error; }
  WallTime truth() const { return FakeClock::wall(); }
  // Shows that time from now on.
  void show(WallTime wall) { error = wall - truth(); }
  Millis error{0};
};

struct SteppedStore {
  TempDir dir;
  SteppedClock clock;
  std::string path = dir / "store.db";
  std::unique_ptr<Store> store = open_store(path, clock);
  PeerId peer = commit(*store, [](Store& s) { return s.peer("relay"); });
  std::int64_t link = commit(*store, [](Store& s) { return s.link("sat"); });

  template <class Run>
  auto run(Run operation) {
    return commit(*store, std::move(operation));
  }
  std::int64_t query(const std::string& sql) { return store->database().query_int(sql); }
  void reopen() {
    store.reset();
    store = open_store(path, clock);
  }
  // The machine goes off, and on again after so long.
  void reboot(Millis off, bool trusted = true) {
    clock.reboot("boot-" + std::to_string(++boots), off, trusted);
    reopen();
  }
  // The program's smallest group, as its timer makes one every few seconds.
  void note() {
    run([](Store&) {});
  }
  void pass(Millis time) {
    clock.advance(time);
    note();
  }
  MessageId accept(Millis age = Millis{0}) {
    const NewMessage made{.peer = peer, .cls = 3, .node = "n", .topic = "t", .payload = {1}, .age = age};
    return run([&](Store& s) { return s.accept(std::span(&made, 1)).front().entry.id; });
  }
  std::vector<Entry> queued() {
    return run([&](Store& s) { return s.load_send(peer); }).queued;
  }
  void book(std::int64_t bytes) {
    run([&](Store& s) { s.book(link, {.wire_up = bytes}); });
  }
  std::int64_t dated(int resolution) {
    return query("SELECT coalesce(sum(wire_up), 0) FROM usage WHERE resolution = " +
                 std::to_string(resolution));
  }
  std::int64_t undated() { return query("SELECT coalesce(sum(wire_up), 0) FROM undated"); }

  int boots = 1;
};

}  // namespace tulpar::queue
