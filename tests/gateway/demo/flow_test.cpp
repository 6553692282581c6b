// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/flow.hpp"

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

namespace {

constexpr LinkTime kNow{10s};

// Set up, with its first segment through.
Flow ready_flow(std::size_t buffer = 1'000'000, std::size_t mss = 100) {
  Flow flow(buffer, mss);
  flow.open(kNow);
  CHECK(flow.send(kNow).kind == SegmentKind::kSyn);
  CHECK(flow.arrived(0).opened);
  flow.establish();
  return flow;
}

}  // namespace

TEST_CASE("nothing is sent before the set-up, then full segments and the rest") {
  Flow flow(1000, 100);
  flow.write(Bytes(250, 7));
  CHECK_FALSE(flow.next_send(kNow));
  flow.open(kNow);
  CHECK(flow.next_send(kNow) == kNow);
  CHECK(flow.send(kNow).kind == SegmentKind::kSyn);
  CHECK_FALSE(flow.next_send(kNow));
  flow.establish();
  CHECK(flow.send(kNow).bytes.size() == 100);
  CHECK(flow.send(kNow).bytes.size() == 100);
  CHECK(flow.send(kNow).bytes.size() == 50);
  CHECK_FALSE(flow.next_send(kNow));
}

TEST_CASE("a lost segment is sent again first, and what follows waits for it at the receiver") {
  Flow flow = ready_flow();
  flow.write(Bytes(300, 1));
  CHECK(flow.send(kNow).number == 1);
  CHECK(flow.send(kNow).number == 2);
  flow.lost(1, kNow + 600ms);
  const Delivery early = flow.arrived(2);
  CHECK(early.out_of_order);
  CHECK(early.bytes.empty());
  CHECK(flow.send(kNow).number == 3);  // new data goes on meanwhile
  CHECK(flow.next_send(kNow) == kNow + 600ms);
  const Segment& again = flow.send(kNow + 600ms);
  CHECK(again.number == 1);
  CHECK(again.losses == 1);
  const Delivery late = flow.arrived(1);
  CHECK_FALSE(late.out_of_order);
  CHECK(late.bytes.size() == 200);
  CHECK(flow.pending() == 100);
}

TEST_CASE("a copy of what has arrived delivers nothing") {
  Flow flow = ready_flow();
  flow.write(Bytes(10, 1));
  flow.send(kNow);
  CHECK(flow.arrived(1).bytes.size() == 10);
  CHECK(flow.arrived(1).bytes.empty());
  CHECK(flow.arrived(999).bytes.empty());
}

TEST_CASE("the receive window stops a sender that runs ahead of a loss") {
  Flow flow = ready_flow(1'000'000, 1000);
  flow.write(Bytes(200'000, 1));
  std::size_t sent = 0;
  flow.lost(flow.send(kNow).number, kNow + 1h);
  while (flow.next_send(kNow) == kNow) {
    const std::uint64_t number = flow.send(kNow).number;
    flow.arrived(number);
    ++sent;
  }
  CHECK(sent == 65);
  CHECK(flow.next_send(kNow) == kNow + 1h);
}

TEST_CASE("the end follows the last byte and is announced once") {
  Flow flow = ready_flow();
  flow.write(Bytes(10, 1));
  flow.finish();
  CHECK(flow.room() == 0);
  CHECK(flow.send(kNow).kind == SegmentKind::kData);
  CHECK(flow.send(kNow).kind == SegmentKind::kFin);
  CHECK_FALSE(flow.next_send(kNow));
  CHECK_FALSE(flow.arrived(2).finished);
  CHECK(flow.arrived(1).finished);
  CHECK(flow.finished());
}

TEST_CASE("tries while the link is down are twice as far apart each time, two minutes at most") {
  Flow flow = ready_flow();
  flow.write(Bytes(10, 1));
  LinkTime now = kNow;
  LinkSpan wait = 1s;
  for (int i = 0; i < 30; ++i) {
    flow.back_off(now, 1s);
    CHECK(flow.backing_off());
    CHECK(flow.next_send(now) == now + wait);
    now += wait;
    wait = std::min<LinkSpan>(2 * wait, 120s);
  }
  flow.send(now);
  flow.arrived(1);
  CHECK_FALSE(flow.backing_off());
  flow.write(Bytes(10, 1));
  flow.back_off(now, 1s);
  CHECK(flow.next_send(now) == now + 1s);
}

TEST_CASE("a cut brings back what was on the link, and nothing else waits for it") {
  Flow flow = ready_flow();
  flow.cut(kNow, 1s);
  CHECK_FALSE(flow.backing_off());  // nothing was under way
  flow.write(Bytes(200, 1));
  flow.send(kNow);
  flow.send(kNow);
  flow.arrived(2);
  flow.cut(kNow, 1s);
  CHECK(flow.next_send(kNow) == kNow + 1s);
  CHECK(flow.send(kNow + 1s).number == 1);
  CHECK(flow.arrived(1).bytes.size() == 200);
}

TEST_CASE("discarding forgets everything") {
  Flow flow = ready_flow();
  flow.write(Bytes(300, 1));
  flow.send(kNow);
  flow.discard();
  CHECK(flow.pending() == 0);
  CHECK(flow.room() == 0);
  CHECK_FALSE(flow.next_send(kNow));
  CHECK(flow.arrived(1).bytes.empty());
}
