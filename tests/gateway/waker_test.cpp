// SPDX-License-Identifier: Apache-2.0
#include "gateway/waker.hpp"

#include "tests/bridge/mqtt_loop.hpp"
#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar {
namespace {

constexpr Millis kHour = std::chrono::hours(1);

struct Fixture {
  boost::asio::io_context loop;
  queue::FakeClock clock;
  int steps = 0;
  std::optional<BootTime> next;
  std::function<void()> in_step = [] {};
  std::optional<Waker> waker{std::in_place, loop, clock,
                             [this] {
                               ++steps;
                               in_step();
                             },
                             [this] { return next; }};

  void poll() { test::settle(loop); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "Waker: many kicks are one step, and not inside the call") {
  waker->kick();
  waker->kick();
  CHECK(steps == 0);
  poll();
  CHECK(steps == 1);
  waker->kick();
  poll();
  CHECK(steps == 2);
}

TEST_CASE_METHOD(Fixture, "Waker: a kick from inside the step is another step") {
  in_step = [this] {
    if (steps < 3) waker->kick();
  };
  waker->kick();
  poll();
  CHECK(steps == 3);
}

TEST_CASE_METHOD(Fixture, "Waker: nothing due, nothing runs: the loop has no work left") {
  waker->kick();
  loop.run();  // would not return
  CHECK(steps == 1);
}

TEST_CASE_METHOD(Fixture, "Waker: it steps by itself when the time has come, also one that is past") {
  next = clock.now() - kHour;
  in_step = [this] {
    if (steps == 3) next.reset();
  };
  waker->kick();
  loop.run();
  CHECK(steps == 3);
}

TEST_CASE_METHOD(Fixture, "Waker: a later time does not hold back a kick, nor an earlier time") {
  next = clock.now() + kHour;
  waker->kick();
  poll();
  CHECK(steps == 1);
  next = clock.now();
  in_step = [this] { next.reset(); };
  waker->kick();
  loop.restart();
  loop.run();  // the hour's timer is gone with it
  CHECK(steps == 2);
}

TEST_CASE_METHOD(Fixture, "Waker: once stopped it neither steps nor waits") {
  next = clock.now() + kHour;
  waker->kick();
  poll();
  waker->kick();
  waker->stop();
  waker->kick();
  loop.restart();
  loop.run();
  CHECK(steps == 1);
}

TEST_CASE_METHOD(Fixture, "Waker: stopped from inside its step it does not wait any more") {
  next = clock.now() + kHour;
  in_step = [this] { waker->stop(); };
  waker->kick();
  loop.run();
  CHECK(steps == 1);
}

TEST_CASE_METHOD(Fixture, "Waker: a kick that outlives it is nobody's") {
  next = clock.now() + kHour;
  waker->kick();
  poll();
  waker->kick();
  waker.reset();
  loop.restart();
  loop.run();
  CHECK(steps == 1);
}

}  // namespace tulpar
