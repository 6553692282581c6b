// SPDX-License-Identifier: Apache-2.0
//
// A peer that holds the keys and means harm: random frames, truncated ones, bombs. Nothing crashes, memory
// stays bounded.
#include <random>

#include "tests/catch.hpp"
#include "tests/gateway/link/world.hpp"

namespace tulpar::link {
namespace {

struct Sink : IncomingHost, OutgoingHost {
  void store(ArrivedBatch batch) override { stored.push_back(std::move(batch)); }
  void void_batches(std::uint64_t, std::uint64_t) override { ++voids; }
  void reset(std::uint64_t, std::uint64_t) override { ++resets; }
  void load(const std::vector<queue::Entry>&) override {}
  void drop(const std::vector<queue::Entry>&, queue::DropReason) override {}
  void reserve(std::uint64_t) override {}
  void begin(std::uint64_t, std::vector<queue::MessageId>) override {}
  void settle(queue::SettledBatch, std::vector<std::uint64_t>) override {}
  void given_back(const std::vector<queue::Entry>&) override {}
  void clear_history() override {}
  void raise_floor(std::uint64_t) override {}
  std::vector<ArrivedBatch> stored;
  int voids = 0, resets = 0;
};

struct Victim {
  Sink host;
  BatchCodec codec;
  queue::Scheduler scheduler{quick_classes()};
  Outgoing outgoing{{queue::kClassNames, std::vector<bool>(5, true)},
                    scheduler,
                    codec,
                    host,
                    {.incarnation = 9, .history = {}, .queued = {}}};
  Incoming incoming{
      codec, host,
      queue::ReceiveState{.numbers = queue::NumberSet(), .batches = queue::NumberSet(), .history = {}}};
  Session session{outgoing, incoming, true};
  BootTime now{std::chrono::hours(1)};

  Victim() { session.connected(now, 1, {}); }
  Result<void> frame(const std::vector<Item>& items) {
    FrameBuilder builder(kMaxFrame);
    for (const auto& item : items) REQUIRE(builder.put(item));
    return session.on_frame(builder.take(), now);
  }
  void greet() {
    REQUIRE(frame({Greeting{.incarnation = 5, .closed = {}, .partial = {}}}).has_value());
    incoming.on_reset(true);
  }
};

// Items of every type with numbers from the edges of their ranges.
Bytes random_frame(std::mt19937& random) {
  const auto number = [&]() -> std::uint64_t {
    const std::uint64_t edges[] = {0, 1, 2, 31, 127, 128, 4095, 4096, (1ull << 62) - 1, 1ull << 62, ~0ull};
    return random() % 2 ? random() % 40 : edges[random() % std::size(edges)];
  };
  Writer out;
  for (unsigned items = 1 + random() % 4; items > 0; --items) {
    const std::uint8_t types[] = {0x01, 0x10, 0x11, 0x12, 0x13, 0x14, 0x16, 0x17, 0x20, 0x21, 0x22, 0x23, 0x2F};
    out.u8(random() % 20 ? types[random() % std::size(types)] : static_cast<std::uint8_t>(random()));
    for (unsigned numbers = random() % 8; numbers > 0; --numbers) out.varint(number());
    for (unsigned bytes = random() % 8; bytes > 0; --bytes) out.u8(static_cast<std::uint8_t>(random()));
  }
  return out.take();
}

}  // namespace

TEST_CASE("Random frames crash neither the decoder nor a session") {
  std::mt19937 random(7);
  std::size_t good = 0;
  auto victim = std::make_unique<Victim>();
  victim->greet();
  for (int i = 0; i < 20'000; ++i) {
    const Bytes frame = random_frame(random);
    const bool decodes = decode_frame(frame).has_value();
    good += decodes;
    const bool taken = victim->session.on_frame(frame, victim->now).has_value();
    if (!decodes) REQUIRE_FALSE(taken);
    if (taken && !victim->session.peer_bye()) continue;
    while (!victim->session.next_frame(victim->now, 300).empty()) {
    }
    victim = std::make_unique<Victim>();
    if (random() % 8) victim->greet();
  }
  CHECK(good > 1000);
}

TEST_CASE("A greeting with bits flipped or cut anywhere never crashes a session") {
  Greeting greeting{.incarnation = 5,
                    .session = 3,
                    .closed = {.cumulative = 7, .runs = {{1, 2}}},
                    .partial = {{9, 100}},
                    .floor = 2,
                    .void_count = 3,
                    .next = 9,
                    .settled = 4,
                    .next_message = 12};
  FrameBuilder builder(kMaxFrame);
  REQUIRE(builder.put(greeting));
  const Bytes frame = builder.take();
  for (std::size_t cut = 0; cut < frame.size(); ++cut) {
    Victim victim;
    CHECK(victim.session.on_frame(ByteView(frame).first(cut), victim.now).has_error());
  }
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    Bytes flipped = frame;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    Victim victim;
    (void)victim.session.on_frame(flipped, victim.now);
    while (!victim.session.next_frame(victim.now, 300).empty()) {
    }
  }
}

TEST_CASE("Unfinished batches are bounded in number and bytes") {
  Victim victim;
  victim.greet();
  const Bytes byte(1, 'x');
  SECTION("in number") {
    for (std::uint64_t batch = 1; batch <= kMaxOpenBatches; ++batch)
      REQUIRE(victim.frame({Fragment{batch, 5, false, byte}}).has_value());
    CHECK(victim.frame({Fragment{kMaxOpenBatches + 1, 5, false, byte}}).has_error());
    CHECK(victim.session.bye() == ByeReason::kMalformed);
  }
  SECTION("in bytes, where one byte stands at the end of a batch") {
    for (std::uint64_t batch = 1; batch <= 3; ++batch)
      REQUIRE(victim.frame({Fragment{batch, kMaxBatch - 1, false, byte}}).has_value());
    CHECK(victim.frame({Fragment{4, kMaxBatch - 1, false, byte}}).has_error());
  }
  SECTION("in pieces") {
    Result<void> last;
    for (std::uint64_t piece = 0; piece <= 64 && last; ++piece)
      last = victim.frame({Fragment{1, 1 + piece * 2, false, byte}});
    CHECK(last.has_error());
  }
  SECTION("in distance") {
    CHECK(victim.frame({Fragment{kMaxBatchAhead, 0, false, byte}}).has_value());
    CHECK(victim.frame({Fragment{kMaxBatchAhead + 1, 0, false, byte}}).has_error());
  }
  SECTION("by voids with gaps") {
    CHECK(victim.frame({Void{kMaxBatchAhead, 1}}).has_value());
    CHECK(victim.frame({Void{kMaxBatchAhead + 1, 1}}).has_error());
  }
}

TEST_CASE("A batch with two ends is refused") {
  Victim victim;
  victim.greet();
  const Bytes bytes(10, 'x');
  REQUIRE(victim.frame({Fragment{1, 20, false, bytes}}).has_value());
  SECTION("an end before what is here") { CHECK(victim.frame({Fragment{1, 0, true, bytes}}).has_error()); }
  SECTION("bytes behind the end") {
    REQUIRE(victim.frame({Fragment{1, 30, true, bytes}}).has_value());
    CHECK(victim.frame({Fragment{1, 40, false, bytes}}).has_error());
  }
}

TEST_CASE("What is not a greeting at first ends the session and a second greeting too") {
  Victim victim;
  SECTION("ack first") { CHECK(victim.frame({Ack{}}).has_error()); }
  SECTION("twice") {
    victim.greet();
    CHECK(victim.frame({Greeting{.incarnation = 5, .closed = {}, .partial = {}}}).has_error());
  }
  CHECK(victim.session.bye() == ByeReason::kMalformed);
}

TEST_CASE("An acknowledgement of what was never sent ends the session") {
  Victim victim;
  victim.greet();
  CHECK(victim.frame({Ack{.cumulative = 17, .runs = {}}}).has_error());
}

}  // namespace tulpar::link
