// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/durable_writes.hpp"

#include "tests/catch.hpp"

namespace tulpar::link {
namespace {

struct StillClock : Clock {
  BootTime now() const override { return at; }
  WallTime wall() const override { return {}; }
  bool trusted() const override { return true; }
  std::string boot_id() const override { return {}; }
  BootTime at{std::chrono::hours(1)};
};

// Keeps what it is given until the test answers.
struct HeldRunner : queue::StoreRunner {
  void submit(WriteJob job) override { jobs.push_back(std::move(job)); }
  void submit(ReadJob) override {}
  void answer(bool committed) {
    const Error full{"database or disk is full"};
    auto job = std::move(jobs.front());
    jobs.pop_front();
    job.done(committed ? nullptr : &full);
  }
  std::deque<WriteJob> jobs;
};

struct Fixture {
  HeldRunner runner;
  StillClock clock;
  int wakes = 0;
  std::string order;
  std::optional<DurableWrites> writes{std::in_place, runner, clock, "relay", [this] { ++wakes; }};
  void add(char name) {
    writes->add([](queue::Store&) {}, [this, name] { order += name; });
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "Durable writes: committed ones are done in their order") {
  add('a');
  add('b');
  CHECK(runner.jobs.size() == 2);
  runner.answer(true);
  runner.answer(true);
  CHECK(order == "ab");
  CHECK_FALSE(writes->next_wake());
}

TEST_CASE_METHOD(Fixture, "Durable writes: one that fails is tried again, and later ones wait behind it") {
  add('a');
  add('b');
  runner.answer(false);
  CHECK(wakes == 1);
  add('c');
  CHECK(runner.jobs.size() == 1);  // b, under way already
  runner.answer(false);
  REQUIRE(writes->next_wake() == clock.at + DurableWrites::kRetryAfter);
  writes->step(clock.at);
  CHECK(runner.jobs.empty());
  clock.at += DurableWrites::kRetryAfter;
  writes->step(clock.at);
  REQUIRE(runner.jobs.size() == 1);  // one is tried, and all follow
  CHECK_FALSE(writes->next_wake());
  add('d');
  CHECK(runner.jobs.size() == 1);
  runner.answer(true);
  CHECK(runner.jobs.size() == 3);
  CHECK_FALSE(writes->stuck());
  while (!runner.jobs.empty()) runner.answer(true);
  CHECK(order.size() == 4);
}

TEST_CASE_METHOD(Fixture,
                 "Durable writes: one that never succeeds holds the others back for a second at most") {
  add('x');
  add('a');
  runner.answer(false);
  runner.answer(false);
  const auto next = [&] {
    clock.at += DurableWrites::kRetryAfter;
    writes->step(clock.at);
    REQUIRE(runner.jobs.size() == 1);
  };
  next();
  runner.answer(false);  // x
  next();
  runner.answer(true);  // a
  CHECK(order == "a");
}

TEST_CASE_METHOD(Fixture, "Durable writes: a store that stays broken is asked once a second") {
  add('a');
  for (int second = 0; second < 5; ++second) {
    REQUIRE(runner.jobs.size() == 1);
    runner.answer(false);
    clock.at += DurableWrites::kRetryAfter;
    writes->step(clock.at);
  }
  runner.answer(true);
  CHECK(order == "a");
}

TEST_CASE_METHOD(Fixture, "Durable writes: an answer after the end is for nobody") {
  add('a');
  add('b');
  writes.reset();
  runner.answer(true);
  runner.answer(false);
  CHECK(order.empty());
  CHECK(wakes == 0);
}

}  // namespace tulpar::link
