// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/frame.hpp"

#include <algorithm>

#include "queue/message_numbers.hpp"
#include "tests/catch.hpp"

namespace tulpar::link {
namespace {

constexpr std::uint64_t kMost = (std::uint64_t{1} << 62) - 1;

Bytes frame_of(const std::vector<Item>& items) {
  FrameBuilder builder(kMaxFrame);
  for (const auto& item : items) REQUIRE(builder.put(item));
  return builder.take();
}

// Type byte, then varints.
Bytes raw(std::uint8_t type, const std::vector<std::uint64_t>& numbers, const Bytes& tail = {}) {
  Writer out;
  out.u8(type);
  for (const auto number : numbers) out.varint(number);
  out.bytes(tail);
  return out.take();
}

bool decodes(const Bytes& frame) { return decode_frame(frame).has_value(); }

const Greeting kGreeting{.incarnation = 0x1122334455667788,
                         .known = 3,
                         .known_life = 0xfffffffe,
                         .session = 9,
                         .last_session = 8,
                         .last_received = 700,
                         .last_sent = 600,
                         .closed = {.cumulative = 40, .runs = {{1, 2}, {3, 4}}},
                         .partial = {{41, 1000}, {44, 1}},
                         .floor = 5,
                         .void_count = 2,
                         .next = 9,
                         .settled = 11,
                         .next_message = 300,
                         .lives = {{0xffffffff, 70'000, 257}, {1}},
                         .hold = {{"telemetry"}}};

}  // namespace

TEST_CASE("Every item survives the way through a frame") {
  const Bytes bytes = {1, 2, 3};
  auto items = decode_frame(
      frame_of({kGreeting, Ack{7, {{2, 3}}}, Void{4, 5}, Lost{6}, Refused{7}, Hold{{"bulk", "normal"}},
                Fragment{8, 0, false, bytes}, Fragment{9, 100, true, bytes}, Bye{ByeReason::kShuttingDown}}));
  REQUIRE(items.has_value());
  REQUIRE(items->size() == 9);
  CHECK(std::get<Greeting>((*items)[0]) == kGreeting);
  CHECK(std::get<Ack>((*items)[1]) == Ack{7, {{2, 3}}});
  CHECK(std::get<Void>((*items)[2]).first == 4);
  CHECK(std::get<Void>((*items)[2]).count == 5);
  CHECK(std::get<Lost>((*items)[3]).batch == 6);
  CHECK(std::get<Refused>((*items)[4]).batch == 7);
  CHECK(std::get<Hold>((*items)[5]) == Hold{{"bulk", "normal"}});
  const auto& first = std::get<Fragment>((*items)[6]);
  CHECK((first.batch == 8 && first.offset == 0 && !first.end && first.bytes.size() == 3));
  const auto& last = std::get<Fragment>((*items)[7]);
  CHECK((last.batch == 9 && last.offset == 100 && last.end));
  CHECK(std::get<Bye>((*items)[8]).reason == ByeReason::kShuttingDown);
}

TEST_CASE("A frame cut inside its last item is refused at every byte") {
  const Bytes bytes = {1, 2, 3};
  const std::vector<Item> each = {kGreeting, Ack{7, {{200, 300}}}, Void{400, 500},
                                  Lost{600}, Refused{700},         Fragment{800, 900, true, bytes},
                                  Bye{}};
  for (const auto& item : each) {
    const Bytes frame = frame_of({item});
    for (std::size_t cut = 0; cut < frame.size(); ++cut)
      CHECK_FALSE(decodes(Bytes(frame.begin(), frame.begin() + cut)));
  }
}

TEST_CASE("A later version may append to the greeting") {
  Bytes frame = frame_of({kGreeting});
  frame.insert(frame.end(), {9, 9});
  frame[1] += 2;
  REQUIRE(frame[1] < 0x80);
  auto items = decode_frame(frame);
  REQUIRE(items.has_value());
  CHECK(std::get<Greeting>(items->at(0)) == kGreeting);
}

TEST_CASE("A greeting that contradicts itself is refused") {
  const auto with = [](auto change) {
    Greeting greeting = kGreeting;
    change(greeting);
    return decodes(frame_of({greeting}));
  };
  CHECK(with([](Greeting&) {}));
  CHECK_FALSE(with([](Greeting& g) { g.incarnation = 0; }));
  CHECK_FALSE(with([](Greeting& g) { g.incarnation = kMost + 1; }));
  CHECK_FALSE(with([](Greeting& g) { g.least = g.version + 1; }));
  CHECK_FALSE(with([](Greeting& g) { g.floor = 0; }));
  CHECK_FALSE(with([](Greeting& g) { g.settled = 0; }));
  CHECK_FALSE(with([](Greeting& g) { g.void_count = g.next; }));
  CHECK_FALSE(with([](Greeting& g) { g.closed.runs = {{0, 1}}; }));
  CHECK_FALSE(with([](Greeting& g) { g.partial.assign(kMaxOpenBatches + 1, {1, 1}); }));
  CHECK_FALSE(with([](Greeting& g) { g.session = kMost + 1; }));
  CHECK_FALSE(with([](Greeting& g) { g.lives.clear(); }));
  CHECK_FALSE(with([](Greeting& g) { g.lives[0].message_end = kMost + 1; }));
  CHECK_FALSE(with([](Greeting& g) { g.lives = {{1}, {0}}; }));
  CHECK(with([](Greeting& g) { g.lives.assign(queue::kMostLives, {}); }));
  CHECK_FALSE(with([](Greeting& g) { g.lives.assign(queue::kMostLives + 1, {}); }));
}

TEST_CASE("Hostile numbers in items are refused") {
  CHECK(decodes(raw(0x20, {kMost, 0})));
  CHECK_FALSE(decodes(raw(0x20, {kMost + 1, 0})));
  CHECK_FALSE(decodes(raw(0x20, {1, 1, 0, 5})));
  CHECK_FALSE(decodes(raw(0x20, {1, 1, 5, 0})));
  CHECK_FALSE(decodes(raw(0x20, {1, ~std::uint64_t{0}, 1, 1})));
  CHECK_FALSE(decodes(raw(0x20, {kMost, 1, 1, 1})));
  CHECK_FALSE(decodes(raw(0x20, {1, 2, kMost, kMost, kMost, kMost})));
  CHECK_FALSE(decodes(raw(0x21, {0, 1})));
  CHECK_FALSE(decodes(raw(0x21, {1, 0})));
  CHECK_FALSE(decodes(raw(0x10, {0}, {1})));
  CHECK_FALSE(decodes(raw(0x10, {1})));
  CHECK(decodes(raw(0x11, {1, kMaxBatch - 1}, {1})));
  CHECK_FALSE(decodes(raw(0x11, {1, kMaxBatch}, {1})));
  CHECK_FALSE(decodes(raw(0x11, {1, kMost}, {1})));
  CHECK_FALSE(decodes(raw(0x14, {1, 100}, {1})));
  CHECK_FALSE(decodes(raw(0x14, {1, ~std::uint64_t{0}}, {1})));
  for (const int type : {0x00, 0x02, 0x18, 0x24, 0x2e, 0x30, 0xff})
    CHECK_FALSE(decodes(raw(static_cast<std::uint8_t>(type), {1, 1})));
  CHECK_FALSE(decodes({}));
}

TEST_CASE("A fragment fills the frame exactly and says where the batch ends") {
  Bytes batch(1000, 'x');
  for (std::size_t limit = 4; limit < 1100; ++limit) {
    std::size_t done = 0, frames = 0;
    bool ended = false;
    for (; done < batch.size(); ++frames) {
      FrameBuilder builder(std::max<std::size_t>(limit, 16));
      const std::size_t put = builder.put_fragment(300, done, ByteView(batch).subspan(done));
      REQUIRE(put > 0);
      const Bytes frame = builder.take();
      REQUIRE(frame.size() <= std::max<std::size_t>(limit, 16));
      const auto items = decode_frame(frame);
      REQUIRE(items.has_value());
      const auto& fragment = std::get<Fragment>(items->at(0));
      REQUIRE(fragment.offset == done);
      REQUIRE(fragment.bytes.size() == put);
      done += put;
      ended = fragment.end;
      REQUIRE(ended == (done == batch.size()));
    }
    CHECK(ended);
  }
}

TEST_CASE("Behind a fragment without a length nothing more goes into the frame") {
  FrameBuilder builder(50);
  const Bytes batch(100, 'x');
  CHECK(builder.put_fragment(1, 0, batch) > 0);
  CHECK_FALSE(builder.put(Lost{1}));
  CHECK(builder.put_fragment(2, 0, batch) == 0);
}

TEST_CASE("What does not fit leaves the frame as it was") {
  FrameBuilder builder(4);
  CHECK(builder.put(Lost{1}));
  CHECK_FALSE(builder.put(Void{1000, 1}));
  CHECK(builder.take() == Bytes{0x22, 1});
}

}  // namespace tulpar::link
