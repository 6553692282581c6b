// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/live_feeds.hpp"

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {

const Millis kStall{30'000};

struct Bench {
  void step() {
    feeds.step(
        now, [this] { return "status " + std::to_string(++made); },
        [this](const std::string& session) { return session != gone; });
  }
  std::shared_ptr<LiveFeeds::Feed> add(std::string session = "s") {
    auto feed = feeds.add(std::move(session));
    feed->on_wake([this] { ++woken; });
    return feed;
  }
  LiveFeeds feeds{kStall};
  BootTime now{std::chrono::hours(1)};
  std::string gone;
  int made = 0, woken = 0;
};

std::string taken(LiveFeeds::Feed& feed) {
  const auto text = feed.take();
  return text ? *text : "";
}

}  // namespace

TEST_CASE("nobody looks: nothing is due and no status is made") {
  Bench bench;
  bench.feeds.changed();
  CHECK_FALSE(bench.feeds.next_wake());
  bench.step();
  CHECK(bench.made == 0);
  {
    const auto feed = bench.add();
    CHECK(bench.feeds.next_wake());
  }
  CHECK_FALSE(bench.feeds.next_wake());
  CHECK(bench.feeds.empty());
}

TEST_CASE("a new feed has the status at once, then with each change, twice a second at most") {
  Bench bench;
  const auto feed = bench.add();
  CHECK(*bench.feeds.next_wake() <= bench.now);
  bench.step();
  CHECK(taken(*feed) == "status 1");
  CHECK(taken(*feed).empty());
  CHECK_FALSE(bench.feeds.next_wake());

  for (int i = 0; i < 100; ++i) bench.feeds.changed();
  CHECK(bench.feeds.next_wake() == bench.now + Millis(500));
  bench.now += Millis(499);
  bench.step();
  CHECK(bench.made == 1);
  bench.now += Millis(1);
  bench.step();
  CHECK(taken(*feed) == "status 2");
  CHECK_FALSE(bench.feeds.next_wake());
}

TEST_CASE("all feeds share one status, a slow one has the latest only") {
  Bench bench;
  const auto fast = bench.add(), slow = bench.add();
  for (int i = 1; i <= 3; ++i) {
    bench.feeds.changed();
    bench.step();
    CHECK(taken(*fast) == "status " + std::to_string(i));
    bench.now += Millis(500);
  }
  CHECK(bench.made == 3);
  CHECK(taken(*slow) == "status 3");
  CHECK(taken(*slow).empty());
}

TEST_CASE("a feed that takes nothing for half a minute ends") {
  Bench bench;
  const auto feed = bench.add();
  bench.step();
  feed->sending(bench.now);
  bench.now += kStall - Millis(1);
  bench.feeds.changed();
  bench.step();
  CHECK_FALSE(feed->ended());
  bench.now += Millis(500);
  bench.feeds.changed();
  bench.step();
  CHECK(feed->ended());
  CHECK(feed->is_sending());
  CHECK(bench.feeds.empty());
  CHECK(bench.woken == 3);
}

TEST_CASE("slow is not stalled") {
  Bench bench;
  const auto feed = bench.add();
  for (int i = 0; i < 10; ++i) {
    bench.feeds.changed();
    bench.step();
    feed->sending(bench.now);
    bench.now += kStall - Millis(1);
    feed->sent();
  }
  CHECK_FALSE(feed->ended());
}

TEST_CASE("a feed ends with its session") {
  Bench bench;
  const auto mine = bench.add("mine"), other = bench.add("other");
  bench.gone = "mine";
  bench.step();
  CHECK(mine->ended());
  CHECK_FALSE(other->ended());
  CHECK(taken(*mine).empty());
  bench.feeds.end_unless([](const std::string& session) { return session != "other"; });
  CHECK(other->ended());
  const auto third = bench.add();
  bench.feeds.end_all();
  CHECK(third->ended());
}

TEST_CASE("waking one feed may end another") {
  Bench bench;
  auto first = bench.feeds.add("a");
  auto second = bench.feeds.add("b");
  first->on_wake([&] { second.reset(); });
  bench.step();
  CHECK(taken(*first) == "status 1");
  bench.feeds.changed();
  bench.now += Millis(500);
  bench.step();
  CHECK(taken(*first) == "status 2");
}
