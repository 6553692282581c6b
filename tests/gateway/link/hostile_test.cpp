// SPDX-License-Identifier: Apache-2.0
//
// A peer that holds the keys and means harm: random frames, truncated ones, bombs. Nothing crashes, memory
// stays bounded.
#include <random>

#include "tests/catch.hpp"
#include "tests/gateway/link/victim.hpp"

namespace tulpar::link {
namespace {

// One peer that has greeted.
struct Greeted : Victim {
  explicit Greeted(BatchCodec& shared) : Victim(shared) { REQUIRE(greet().has_value()); }
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
  BatchCodec codec;
  auto victim = std::make_unique<Victim>(codec);
  REQUIRE(victim->greet().has_value());
  for (int i = 0; i < 20'000; ++i) {
    const Bytes frame = random_frame(random);
    const bool decodes = decode_frame(frame).has_value();
    good += decodes;
    const bool taken = victim->hear(frame).has_value();
    if (!decodes) REQUIRE_FALSE(taken);
    if (taken && !victim->session.peer_bye()) continue;
    while (!victim->say(300).empty()) {
    }
    victim = std::make_unique<Victim>(codec);
    if (random() % 8) REQUIRE(victim->greet().has_value());
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
  BatchCodec codec;
  for (std::size_t cut = 0; cut < frame.size(); ++cut) {
    Victim victim(codec);
    CHECK(victim.hear(ByteView(frame).first(cut)).has_error());
  }
  for (std::size_t bit = 0; bit < frame.size() * 8; ++bit) {
    Bytes flipped = frame;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    Victim victim(codec);
    (void)victim.hear(flipped);
    while (!victim.say(300).empty()) {
    }
  }
}

TEST_CASE("Unfinished batches are bounded in number and bytes") {
  BatchCodec codec;
  Greeted victim(codec);
  const Bytes byte(1, 'x');
  SECTION("in number") {
    for (std::uint64_t batch = 1; batch <= kMaxOpenBatches; ++batch)
      REQUIRE(victim.hear({Fragment{batch, 5, false, byte}}).has_value());
    CHECK(victim.hear({Fragment{kMaxOpenBatches + 1, 5, false, byte}}).has_error());
    CHECK(victim.session.bye() == ByeReason::kMalformed);
  }
  SECTION("in bytes, where one byte stands at the end of a batch") {
    for (std::uint64_t batch = 1; batch <= 3; ++batch)
      REQUIRE(victim.hear({Fragment{batch, kMaxBatch - 1, false, byte}}).has_value());
    CHECK(victim.hear({Fragment{4, kMaxBatch - 1, false, byte}}).has_error());
  }
  SECTION("in pieces") {
    Result<void> last;
    for (std::uint64_t piece = 0; piece <= 64 && last; ++piece)
      last = victim.hear({Fragment{1, 1 + piece * 2, false, byte}});
    CHECK(last.has_error());
  }
  SECTION("in distance") {
    CHECK(victim.hear({Fragment{kMaxBatchAhead, 0, false, byte}}).has_value());
    CHECK(victim.hear({Fragment{kMaxBatchAhead + 1, 0, false, byte}}).has_error());
  }
  SECTION("by voids with gaps") {
    CHECK(victim.hear({Void{kMaxBatchAhead, 1}}).has_value());
    CHECK(victim.hear({Void{kMaxBatchAhead + 1, 1}}).has_error());
  }
}

TEST_CASE("A batch with two ends is refused") {
  BatchCodec codec;
  Greeted victim(codec);
  const Bytes bytes(10, 'x');
  REQUIRE(victim.hear({Fragment{1, 20, false, bytes}}).has_value());
  SECTION("an end before what is here") { CHECK(victim.hear({Fragment{1, 0, true, bytes}}).has_error()); }
  SECTION("bytes behind the end") {
    REQUIRE(victim.hear({Fragment{1, 30, true, bytes}}).has_value());
    CHECK(victim.hear({Fragment{1, 40, false, bytes}}).has_error());
  }
}

TEST_CASE("What is not a greeting at first ends the session and a second greeting too") {
  BatchCodec codec;
  Victim victim(codec);
  SECTION("ack first") { CHECK(victim.hear({Ack{}}).has_error()); }
  SECTION("twice") {
    REQUIRE(victim.greet().has_value());
    CHECK(victim.hear({Greeting{.incarnation = 5, .closed = {}, .partial = {}}}).has_error());
  }
  CHECK(victim.session.bye() == ByeReason::kMalformed);
}

}  // namespace tulpar::link
