// SPDX-License-Identifier: Apache-2.0
//
// A store in a directory of its own, with a clock that the test moves. Shared by the tests of the store and of
// the link.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "queue/store.hpp"
#include "queue/store_reader.hpp"

namespace tulpar::queue {

class TempDir {
 public:
  TempDir() {
    // Memory where there is some: these tests open a store thousands of times and test no disk.
    std::string name = std::filesystem::exists("/dev/shm") ? "/dev/shm/tulpar-XXXXXX" : "/tmp/tulpar-XXXXXX";
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp " + name);
    path_ = name;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  std::string operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

class FakeClock : public Clock {
 public:
  BootTime now() const override { return now_; }
  WallTime wall() const override { return wall_; }
  bool trusted() const override { return trusted_; }
  std::string boot_id() const override { return boot_; }

  void advance(Millis by) {
    now_ += by;
    wall_ += by;
  }
  // The machine was off for `off` and comes up under a new boot id, its clock believed or not.
  void reboot(const std::string& boot, Millis off, bool trusted = true) {
    boot_ = boot;
    now_ = BootTime{Millis{1000}};
    wall_ += off;
    trusted_ = trusted;
  }
  void trust(bool trusted) { trusted_ = trusted; }

 private:
  BootTime now_{std::chrono::hours(10)};
  WallTime wall_{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1} + std::chrono::hours(12)};
  bool trusted_ = true;
  std::string boot_ = "boot-1";
};

inline const std::vector<std::string> kClassNames = {"emergency", "message", "normal", "telemetry", "bulk"};

inline std::unique_ptr<Store> open_store(const std::string& path, const Clock& clock) {
  return Store::open(path, kClassNames, clock).value();
}

// Runs one operation as the runner does: committed whole, or forgotten whole and thrown on.
template <class Run>
auto commit(Store& store, Run run) {
  try {
    Transaction transaction(store.database());
    if constexpr (std::is_void_v<std::invoke_result_t<Run, Store&>>) {
      run(store);
      store.flush();
      transaction.commit();
    } else {
      auto value = run(store);
      store.flush();
      transaction.commit();
      return value;
    }
  } catch (...) {
    store.forget();
    throw;
  }
}

struct StoreFixture {
  TempDir dir;
  FakeClock clock;
  std::string path = dir / "store.db";
  std::unique_ptr<Store> store = open_store(path, clock);
  PeerId peer = commit(*store, [](Store& s) { return s.peer("relay"); });
  std::int64_t link = commit(*store, [](Store& s) { return s.link("sat"); });

  template <class Run>
  auto run(Run operation) {
    return commit(*store, std::move(operation));
  }
  void reopen() {
    store.reset();
    store = open_store(path, clock);
  }
  std::int64_t query(const std::string& sql) { return store->database().query_int(sql); }

  NewMessage message(std::string topic = "t", std::string payload = "hello") const {
    NewMessage made;
    made.peer = peer;
    made.cls = 1;
    made.node = "node-1";
    made.topic = std::move(topic);
    made.payload = Bytes(payload.begin(), payload.end());
    return made;
  }
  Accepted accept(const NewMessage& message) {
    return run([&](Store& s) { return s.accept(std::span(&message, 1)).front(); });
  }
  // The books balance, and `queued` counts exactly the unfinished rows, per direction and class.
  bool balanced() {
    return query(
               "SELECT count(*) FROM book WHERE accepted != delivered + expired + conflated + dropped + "
               "queued") == 0 &&
           query(
               "SELECT count(*) FROM book b WHERE queued != (SELECT count(*) FROM message m WHERE m.class = "
               "b.class "
               "AND (m.peer = 0) = b.edge AND m.state < 2)") == 0 &&
           query("SELECT coalesce(sum(dropped), 0) FROM book") ==
               query("SELECT coalesce(sum(count), 0) FROM drops");
  }
};

}  // namespace tulpar::queue
