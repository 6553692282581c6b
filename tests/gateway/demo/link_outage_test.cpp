// SPDX-License-Identifier: Apache-2.0
//
// LinkModel: outages, and the beginning and end of connections.
#include "gateway/demo/link_model.hpp"

#include "tests/catch.hpp"
#include "tests/gateway/demo/link_lab.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

TEST_CASE("while the link is cut nothing passes, nothing is counted, and the model hardly wakes") {
  Lab lab({.rate_up = 64'000, .rate_down = 64'000, .delay = 300ms});
  const ConnectionId id = lab.open();
  auto& s = lab.stream(id, Direction::kUp);
  s.to_write = pattern(200'000);
  lab.run(3s);
  lab.model.cut(lab.now);
  CHECK_FALSE(lab.model.up());
  const std::size_t got = s.got.size();
  const std::uint64_t bytes = lab.up().bytes;
  const int steps = lab.steps;
  lab.run(10min);
  CHECK(s.got.size() == got);
  CHECK(lab.up().bytes == bytes);
  CHECK(lab.up().lost > 0);  // what was on its way
  CHECK(lab.steps - steps < 40);

  lab.model.mend(lab.now);
  const BootTime mended = lab.now;
  lab.run(100ms);
  CHECK(s.got.size() == got);  // TCP is still backing off
  lab.run(5min);
  CHECK(s.got == s.to_write);
  CHECK(s.first < mended);
}

TEST_CASE("the wait after an outage doubles with its length") {
  const auto silence = [](Millis outage) {
    Lab lab({.rate_up = 64'000, .rate_down = 64'000, .delay = 300ms});
    const ConnectionId id = lab.open();
    lab.stream(id, Direction::kUp).to_write = pattern(100'000);
    lab.run(3s);
    lab.model.cut(lab.now);
    lab.run(outage);
    lab.model.mend(lab.now);
    const std::size_t got = lab.stream(id, Direction::kUp).got.size();
    const BootTime mended = lab.now;
    while (lab.stream(id, Direction::kUp).got.size() == got && lab.now < mended + 5min) lab.run(10ms);
    return lab.now - mended;
  };
  // Tries at 0.8, 2.4, 5.7, 12.2, 25.3 s ... after the cut, and 0.5 s of way.
  CHECK(silence(100ms) < 1500ms);
  CHECK(silence(6s) > 6s);
  CHECK(silence(6s) < 7s);
  CHECK(silence(13s) > 12s);
}

TEST_CASE("a connection attempt hangs while the link is cut and goes through afterwards") {
  Lab lab(fast_link());
  lab.model.cut(lab.now);
  const ConnectionId id = lab.open();
  lab.stream(id, Direction::kUp).to_write = pattern(10);
  lab.run(20s);
  CHECK(lab.events.empty());
  CHECK(lab.up().bytes == 0);
  lab.model.mend(lab.now);
  lab.run(1min);
  CHECK(lab.count(LinkEvent::Kind::kOpening) == 1);
  CHECK(lab.stream(id, Direction::kUp).got == pattern(10));
}

TEST_CASE("an attempt given up during an outage leaves nothing behind") {
  Lab lab(fast_link());
  lab.model.cut(lab.now);
  const ConnectionId first = lab.open();
  const ConnectionId second = lab.open();
  lab.run(20s);
  lab.model.finish(lab.now, first, Direction::kUp);
  lab.model.reset(lab.now, second, Direction::kUp);
  lab.run(1s);
  CHECK(lab.count(LinkEvent::Kind::kReset) == 2);
  lab.model.mend(lab.now);
  lab.run(5min);
  CHECK(lab.count(LinkEvent::Kind::kOpening) == 0);
  CHECK(lab.up().bytes == 0);
  CHECK_FALSE(lab.model.next_wake(lab.now));
}

TEST_CASE("a reset throws away what is under way and tells the other end") {
  Lab lab({.rate_up = 9600, .rate_down = 9600, .delay = 300ms});
  const ConnectionId id = lab.open();
  lab.run(2s);
  lab.model.write(lab.now, id, Direction::kUp, pattern(3000));
  lab.run(100ms);
  lab.model.reset(lab.now, id, Direction::kDown);
  CHECK(lab.model.room(id, Direction::kUp) == 0);
  CHECK(lab.model.write(lab.now, id, Direction::kUp, pattern(5)) == 0);
  lab.run(10s);
  CHECK(lab.stream(id, Direction::kUp).got.empty());
  CHECK(lab.count(LinkEvent::Kind::kReset) == 1);
  CHECK(lab.down().bytes == 60 + 40);
  CHECK(lab.model.pending(Direction::kUp) == 0);
  CHECK_FALSE(lab.model.next_wake(lab.now));
}

TEST_CASE("the notice of a reset survives an outage") {
  Lab lab({.rate_up = 9600, .rate_down = 9600, .delay = 300ms});
  const ConnectionId id = lab.open();
  lab.run(2s);
  lab.model.reset(lab.now, id, Direction::kUp);
  lab.run(100ms);  // it is on its way
  lab.model.cut(lab.now);
  lab.run(1min);
  CHECK(lab.count(LinkEvent::Kind::kReset) == 0);
  lab.model.mend(lab.now);
  lab.run(2s);
  CHECK(lab.count(LinkEvent::Kind::kReset) == 1);
}

TEST_CASE("a connection ends when both ends have said so") {
  Lab lab(fast_link());
  const ConnectionId id = lab.open();
  auto& s = lab.stream(id, Direction::kUp);
  s.to_write = pattern(5000);
  lab.run(1ms);
  lab.model.finish(lab.now, id, Direction::kUp);
  CHECK(lab.model.room(id, Direction::kUp) == 0);
  lab.run(1s);
  CHECK(s.got == pattern(5000));  // the end waits for the bytes before it
  CHECK(lab.events.back() == LinkEvent::Kind::kFinished);
  lab.stream(id, Direction::kDown).to_write = pattern(20);  // half-closed: the other way still works
  lab.run(1s);
  CHECK(lab.stream(id, Direction::kDown).got.size() == 20);
  lab.model.finish(lab.now, id, Direction::kDown);
  lab.run(1s);
  CHECK(lab.count(LinkEvent::Kind::kFinished) == 2);
  CHECK(lab.model.room(id, Direction::kDown) == 0);
  CHECK_FALSE(lab.model.next_wake(lab.now));
}

TEST_CASE("calls for a connection that is gone do nothing") {
  Lab lab(fast_link());
  CHECK(lab.model.room(99, Direction::kUp) == 0);
  CHECK(lab.model.write(lab.now, 99, Direction::kUp, pattern(3)) == 0);
  lab.model.accept(lab.now, 99);
  lab.model.finish(lab.now, 99, Direction::kUp);
  lab.model.reset(lab.now, 99, Direction::kUp);
  CHECK_FALSE(lab.model.next_wake(lab.now));
}
