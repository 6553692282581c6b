// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/link_model.hpp"

#include "tests/catch.hpp"
#include "tests/gateway/demo/link_lab.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

TEST_CASE("setting up a connection takes a round trip and 172 bytes") {
  Lab lab({.rate_up = 9600, .rate_down = 9600, .delay = 300ms});
  lab.open();
  lab.run(349ms);
  CHECK(lab.events.empty());
  lab.run(1ms);  // 60 bytes take 50 ms at 9600 bit/s, the way 300 ms
  CHECK(lab.events == std::vector{LinkEvent::Kind::kOpening});
  lab.run(2s);
  CHECK(lab.up().bytes == 60 + 52);
  CHECK(lab.down().bytes == 60);
  CHECK_FALSE(lab.model.next_wake(lab.now));
}

TEST_CASE("bytes come out whole, in order, at the link's rate, and the meter counts headers") {
  Lab lab({.rate_up = 9600, .rate_down = 9600, .delay = 300ms});
  const ConnectionId id = lab.open();
  lab.run(2s);
  const BootTime start = lab.now;
  auto& s = lab.stream(id, Direction::kUp);
  s.to_write = pattern(9 * kMss);
  lab.run(60s);
  CHECK(s.got == s.to_write);
  CHECK(lab.up().bytes == 112 + 9 * 1500);
  CHECK(lab.up().packets == 2 + 9);
  // 13.5 kB at 1200 B/s, and the way.
  CHECK(s.last - start == 11'250ms + 300ms);
  // A segment lasts longer than the acknowledgement's delay, so each gets its own.
  CHECK(lab.down().bytes == 60 + 9 * 52);
}

TEST_CASE("on a fast link two segments share an acknowledgement") {
  Lab lab(fast_link());
  const ConnectionId id = lab.open();
  lab.stream(id, Direction::kUp).to_write = pattern(20 * kMss);
  lab.run(5s);
  CHECK(lab.stream(id, Direction::kUp).got.size() == 20 * kMss);
  CHECK(lab.down().bytes == 60 + 10 * 52);
}

TEST_CASE("an answer takes the acknowledgement along") {
  Lab lab(fast_link());
  const ConnectionId id = lab.open();
  lab.run(1s);
  const auto before = lab.down();
  lab.stream(id, Direction::kUp).to_write = pattern(100);
  lab.run(21ms);
  REQUIRE(lab.stream(id, Direction::kUp).got.size() == 100);
  lab.stream(id, Direction::kDown).to_write = pattern(10);
  lab.run(1s);
  CHECK(lab.down().bytes - before.bytes == 62);
}

TEST_CASE("back-pressure: no more than the modem's buffer is taken") {
  Lab lab({.rate_up = 9600, .rate_down = 9600, .delay = 300ms});
  const ConnectionId id = lab.open();
  CHECK(lab.model.room(id, Direction::kUp) == 3000);
  CHECK(lab.model.write(lab.now, id, Direction::kUp, pattern(5000)) == 3000);
  CHECK(lab.model.room(id, Direction::kUp) == 0);
  CHECK(lab.model.write(lab.now, id, Direction::kUp, pattern(1)) == 0);
  lab.run(800ms);  // set up; the first segment is on its way
  CHECK(lab.model.room(id, Direction::kUp) == kMss);
  CHECK(lab.model.pending(Direction::kUp) == 3000);
  lab.run(10s);
  CHECK(lab.model.pending(Direction::kUp) == 0);
}

TEST_CASE("a lost segment costs its bytes again and a round trip, and nothing is missing") {
  LinkSettings settings = fast_link();
  Lab clean(settings);
  settings.loss = 0.2;
  Lab lossy(settings);
  for (Lab* lab : {&clean, &lossy}) {
    const ConnectionId id = lab->open();
    lab->stream(id, Direction::kUp).to_write = pattern(300 * kMss);
    lab->run(60s);
    CHECK(lab->stream(id, Direction::kUp).got == lab->stream(id, Direction::kUp).to_write);
  }
  CHECK(clean.up().lost == 0);
  CHECK(clean.up().resent == 0);
  CHECK(lossy.up().bytes - lossy.up().resent == clean.up().bytes);
  CHECK(lossy.up().resent / 1500 == lossy.up().lost);
  // 300 draws of 0.2, and those of what was lost again: mean 75, deviation 10.
  CHECK(lossy.up().lost > 40);
  CHECK(lossy.up().lost < 120);
  CHECK(lossy.streams.begin()->second.last - clean.streams.begin()->second.last > 40ms);
}

TEST_CASE("what was lost holds back what came after it") {
  // Loss that hits for certain cannot be set; find a seed that loses the first data segment.
  LinkSettings settings = fast_link();
  settings.loss = 0.3;
  bool seen = false;
  for (std::uint64_t seed = 1; seed < 200 && !seen; ++seed) {
    Lab lab(settings, seed);
    const ConnectionId id = lab.open();
    lab.run(50ms);
    if (lab.up().lost > 0 || lab.down().lost > 0) continue;
    auto& s = lab.stream(id, Direction::kUp);
    s.to_write = pattern(3 * kMss);
    const BootTime start = lab.now;
    lab.run(10ms);
    if (lab.up().lost != 1) continue;
    lab.run(5s);
    if (s.first - start < 40ms) continue;  // another one was lost
    seen = true;
    CHECK(s.first - start >= 60ms);
    CHECK(s.got == s.to_write);
  }
  CHECK(seen);
}

TEST_CASE("two connections share the transmitter evenly") {
  Lab lab({.rate_up = 64'000, .rate_down = 64'000, .delay = 100ms});
  const ConnectionId a = lab.open();
  const ConnectionId b = lab.open();
  lab.stream(a, Direction::kUp).to_write = pattern(1'000'000);
  lab.stream(b, Direction::kUp).to_write = pattern(1'000'000);
  lab.run(60s);
  const auto got_a = static_cast<double>(lab.stream(a, Direction::kUp).got.size());
  const auto got_b = static_cast<double>(lab.stream(b, Direction::kUp).got.size());
  CHECK(got_a / got_b == ::Approx(1.0).margin(0.02));
  CHECK(lab.up().bytes <= 60 * 8000);
  CHECK(lab.up().bytes > 59 * 8000);
}

TEST_CASE("jitter moves arrivals and never reorders") {
  LinkSettings settings = fast_link();
  settings.delay = 100ms;
  settings.jitter = 80ms;
  Lab lab(settings);
  const ConnectionId id = lab.open();
  auto& s = lab.stream(id, Direction::kUp);
  s.to_write = pattern(40 * kMss);
  std::vector<Millis> ways;
  lab.run(2s);
  CHECK(s.got == s.to_write);
  for (int i = 0; i < 50; ++i) {
    s.got.clear();
    s.to_write.insert(s.to_write.end(), 10, 0);
    const BootTime sent = lab.now;
    lab.run(1s);
    ways.push_back(s.last - sent);
  }
  const auto [low, high] = std::minmax_element(ways.begin(), ways.end());
  CHECK(*low >= 20ms);
  CHECK(*high <= 181ms);
  CHECK(*high - *low > 80ms);
}

TEST_CASE("the same seed and calls give the same run, however often the model is stepped") {
  const auto run = [](std::uint64_t seed, Millis step) {
    LinkSettings settings{
        .rate_up = 200'000, .rate_down = 100'000, .delay = 150ms, .jitter = 50ms, .loss = 0.1};
    Lab lab(settings, seed);
    const ConnectionId id = lab.open();
    lab.run(5s);
    lab.model.write(lab.now, id, Direction::kUp, pattern(3000));
    lab.model.write(lab.now, id, Direction::kDown, pattern(3000));
    for (const BootTime end = lab.now + 20s; lab.now < end;) {
      lab.now += step;
      for (const LinkEvent& event : lab.model.step(lab.now)) lab.handle(event);
    }
    CHECK(lab.stream(id, Direction::kUp).got == pattern(3000));
    CHECK(lab.stream(id, Direction::kDown).got == pattern(3000));
    return std::tuple(lab.up().bytes, lab.up().packets, lab.up().lost, lab.down().bytes, lab.down().lost,
                      lab.model.step(lab.now).size());
  };
  CHECK(run(3, 1ms) == run(3, 1ms));
  CHECK(run(3, 1ms) == run(3, 500ms));
  CHECK(run(3, 1ms) != run(4, 1ms));
}

TEST_CASE("a clock that goes back does no harm") {
  Lab lab(fast_link());
  const ConnectionId id = lab.open();
  lab.run(1s);
  lab.now -= 10s;
  lab.stream(id, Direction::kUp).to_write = pattern(100);
  lab.run(20s);
  CHECK(lab.stream(id, Direction::kUp).got.size() == 100);
}
