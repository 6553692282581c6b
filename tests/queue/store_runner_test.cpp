// SPDX-License-Identifier: Apache-2.0
#include "queue/store_runner.hpp"

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <fstream>
#include <future>
#include <mutex>

#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Stands for the loop: the test's thread runs what was handed to it.
class Loop {
 public:
  void post(std::function<void()> f) {
    {
      std::lock_guard lock(mutex_);
      posted_.push_back(std::move(f));
    }
    wake_.notify_one();
  }
  template <class Condition>
  void run_until(Condition condition) {
    while (!condition()) {
      std::unique_lock lock(mutex_);
      REQUIRE(wake_.wait_for(lock, std::chrono::seconds(30), [this] { return !posted_.empty(); }));
      auto next = std::move(posted_.front());
      posted_.pop_front();
      lock.unlock();
      next();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> posted_;
};

struct Fixture : StoreFixture {
  Loop loop;
  std::unique_ptr<ThreadedStoreRunner> runner;
  std::promise<void> gate;  // the writer waits for it in the first job, so that the next ones make one group

  Fixture() {
    runner = std::make_unique<ThreadedStoreRunner>(
        std::move(store), std::make_unique<StoreReader>(path), std::make_unique<StoreReader>(path),
        [this](std::function<void()> f) { loop.post(std::move(f)); });
  }
  ~Fixture() { runner.reset(); }
  void hold_writer() {
    auto running = std::make_shared<std::promise<void>>();
    runner->post([this, running](Store&) {
      running->set_value();
      gate.get_future().wait();
    });
    running->get_future().wait();
  }
  auto accepting(std::string topic) {
    return
        [made = message(std::move(topic))](Store& s) { return s.accept(std::span(&made, 1)).front().entry.id; };
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "A write is answered with its value after it is committed") {
  MessageId id = 0;
  runner->write(accepting("a"), [&](Result<MessageId> result) { id = result.value(); });
  CHECK(id == 0);
  loop.run_until([&] { return id != 0; });
  CHECK(StoreReader(path).story(id).has_value());
}

TEST_CASE_METHOD(Fixture, "What waits during a commit is one group and its answers keep their order") {
  hold_writer();
  std::vector<int> order;
  for (int i = 0; i < 20; ++i)
    runner->write(accepting(std::to_string(i)), [&, i](Result<MessageId>) { order.push_back(i); });
  gate.set_value();
  loop.run_until([&] { return order.size() == 20; });
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(runner->health().commits == 2);
}

TEST_CASE_METHOD(Fixture, "An operation that fails fails alone and its neighbours are committed once") {
  hold_writer();
  std::vector<std::string> answers;
  const auto note = [&](auto result) { answers.push_back(result ? "ok" : result.error().message); };
  runner->write(accepting("before"), note);
  runner->write([](Store& s) { s.database().execute("SELECT * FROM no_such_table"); }, note);
  runner->write(accepting("after"), note);
  gate.set_value();
  loop.run_until([&] { return answers.size() == 3; });
  CHECK(answers[0] == "ok");
  CHECK(answers[1].find("no_such_table") != std::string::npos);
  CHECK(answers[2] == "ok");
  CHECK(StoreReader(path).list({}).size() == 2);
  for (const auto& row : StoreReader(path).books()) {
    CHECK(row.book.accepted == 2);
    CHECK(row.book.balances());
  }
  CHECK_FALSE(runner->health().ok);
  bool done = false;
  runner->write(accepting("later"), [&](Result<MessageId>) { done = true; });
  loop.run_until([&] { return done; });
  CHECK(runner->health().ok);
}

TEST_CASE_METHOD(Fixture, "A read does not wait for a write and sees only what is committed") {
  hold_writer();
  runner->write(accepting("waiting"), [](Result<MessageId>) {});
  std::optional<std::size_t> seen;
  runner->read([](StoreReader& reader) { return reader.list({}).size(); },
               [&](Result<std::size_t> count) { seen = count.value(); });
  loop.run_until([&] { return seen.has_value(); });
  CHECK(*seen == 0);
  gate.set_value();
}

TEST_CASE_METHOD(Fixture, "A read that fails is answered in words") {
  std::string words;
  runner->read([](StoreReader&) -> int { throw StoreError("unreadable", SQLITE_CORRUPT); },
               [&](Result<int> result) { words = result.error().message; });
  loop.run_until([&] { return !words.empty(); });
  CHECK(words == "unreadable");
}

TEST_CASE_METHOD(Fixture, "What was submitted before the end is committed") {
  for (int i = 0; i < 50; ++i) runner->post(accepting(std::to_string(i)));
  runner.reset();
  CHECK(StoreReader(path).list({}).size() == 50);
}

TEST_CASE_METHOD(Fixture, "A commit that hangs is a problem after ten seconds and none when it ends") {
  hold_writer();
  const auto health = runner->health();
  CHECK(health.ok);
  REQUIRE(health.began);
  CHECK(health.at(*health.began + std::chrono::seconds(10)).ok);
  const auto later = health.at(*health.began + std::chrono::seconds(31));
  CHECK_FALSE(later.ok);
  CHECK(later.problem == "a commit has been running for 31 s");
  bool done = false;
  runner->write(accepting("a"), [&](Result<MessageId>) { done = true; });
  gate.set_value();
  loop.run_until([&] { return done; });
  CHECK(runner->health().ok);
}

TEST_CASE_METHOD(Fixture, "A read does not wait for the page's query") {
  std::promise<void> end;
  bool queried = false, read = false;
  runner->query([&](StoreReader&) { end.get_future().wait(); }, [&](Result<void>) { queried = true; });
  runner->read([](StoreReader& reader) { return reader.list({}).size(); },
               [&](Result<std::size_t>) { read = true; });
  loop.run_until([&] { return read; });
  CHECK_FALSE(queried);
  end.set_value();
  loop.run_until([&] { return queried; });
}

TEST_CASE_METHOD(Fixture, "What SQLite refuses is told on the spot, and plainly in the health") {
  std::promise<int> code;
  runner->on_failure([&](const StoreError& error) { code.set_value(error.code); });
  const auto fail_with = [&](int sqlite, int system) {
    code = {};
    bool done = false;
    runner->write([=](Store&) { throw StoreError("INSERT: what SQLite says", sqlite, system); },
                  [&](Result<void> result) { done = result.error().message == "INSERT: what SQLite says"; });
    loop.run_until([&] { return done; });
    CHECK(code.get_future().get() == sqlite);
    return runner->health().problem;
  };
  CHECK(fail_with(SQLITE_FULL, ENOSPC) == "no space left on the disk");
  CHECK(fail_with(SQLITE_IOERR_SHMSIZE, 0) == "no space left on the disk");
  CHECK(fail_with(SQLITE_IOERR_WRITE, EROFS) == "the disk is read-only");
  CHECK(fail_with(SQLITE_READONLY, 0) == "the disk is read-only");
  CHECK(fail_with(SQLITE_IOERR_FSYNC, EIO) == "the disk reports: Input/output error");
  CHECK(fail_with(SQLITE_CONSTRAINT, 0) == "INSERT: what SQLite says");
  CHECK(fail_with(SQLITE_CORRUPT_INDEX, 0) == "the store's file is damaged");
}

TEST_CASE_METHOD(Fixture,
                 "Once the file is known to be damaged nothing more is written to it or acknowledged") {
  bool before = false;
  runner->write(accepting("before"), [&](Result<MessageId>) { before = true; });
  loop.run_until([&] { return before; });
  hold_writer();
  const auto damage = [](auto&) { throw StoreError("malformed", SQLITE_CORRUPT); };
  std::vector<std::string> answers;
  const auto note = [&](auto result) { answers.push_back(result ? "ok" : result.error().message); };
  SECTION("by the writer: neither its neighbours nor what comes later") {
    runner->write(accepting("beside"), note);
    runner->write([=](Store& s) { damage(s); }, note);
    gate.set_value();
    loop.run_until([&] { return answers.size() == 2; });
    CHECK(answers == std::vector<std::string>{"malformed", "malformed"});
  }
  SECTION("by a reader: not even the group that is being written") {
    runner->write(accepting("beside"), note);
    bool read = false;
    runner->read([=](StoreReader& r) { damage(r); }, [&](Result<void>) { read = true; });
    loop.run_until([&] { return read; });
    gate.set_value();
    loop.run_until([&] { return answers.size() == 1; });
    CHECK(answers.back().find("damaged") != std::string::npos);
  }
  const std::string log = read_file(path + "-wal");
  runner->write(accepting("later"), note);
  runner->write([](Store& s) { return s.erase_old(Millis{0}, Millis{0}); }, note);
  const auto asked = answers.size();
  loop.run_until([&] { return answers.size() == asked + 2; });
  CHECK(answers.back().find("damaged") != std::string::npos);
  CHECK_FALSE(runner->health().ok);
  for (int i = 0; i < 50; ++i) runner->post(accepting(std::to_string(i)));
  runner.reset();
  // As it was found: not even the log is moved into the file, nor taken away.
  CHECK(read_file(path + "-wal") == log);
  CHECK(StoreReader(path).list({}).size() == 1);
}

TEST_CASE_METHOD(Fixture, "A reader that cannot read is a problem until it can") {
  const bool page = GENERATE(true, false);
  const auto read = [&](bool fails) {
    bool done = false;
    const auto job = [fails](StoreReader&) {
      if (fails) throw StoreError("SELECT", SQLITE_IOERR_READ, EIO);
    };
    const auto answer = [&](Result<void>) { done = true; };
    page ? runner->query(job, answer) : runner->read(job, answer);
    loop.run_until([&] { return done; });
  };
  read(true);
  CHECK_FALSE(runner->health().ok);
  CHECK(runner->health().problem == "the disk reports: Input/output error");
  read(false);
  CHECK(runner->health().ok);
}

TEST_CASE_METHOD(Fixture, "The writer takes erased text out of the log after it has answered") {
  const auto wal = [&] { return std::filesystem::file_size(path + "-wal"); };
  MessageId id = 0;
  runner->write(accepting("a"), [&](Result<MessageId> result) { id = result.value(); });
  loop.run_until([&] { return id != 0; });
  const Finished end{id, State::kDropped, DropReason::kOperator};
  runner->post([end](Store& s) { s.finish(std::span(&end, 1)); });
  bool erased = false;
  runner->write([](Store& s) { return s.erase_old(Millis{0}, std::chrono::hours(1)); },
                [&](Result<std::int64_t>) { erased = true; });
  loop.run_until([&] { return erased; });
  hold_writer();  // in the next group: what was before is tidied
  CHECK(wal() == 0);
  gate.set_value();
}

}  // namespace tulpar::queue
