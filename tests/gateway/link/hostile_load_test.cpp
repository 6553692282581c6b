// SPDX-License-Identifier: Apache-2.0
//
// A peer that holds the keys and sends as much as it can of what costs most: bombs, fragments without end,
// voids of everything, answers that undo our work, while the disk is slow or nobody takes our frames. Memory
// stays bounded and our own part of the link is not wasted.
#include <set>

#include "tests/catch.hpp"
#include "tests/gateway/link/victim.hpp"

namespace tulpar::link {
namespace {

// What one peer may have on its way to the disk, with its parts: about a tenth of what a small gateway has.
constexpr std::size_t kMostHeld = 64u << 20;

struct Flooded : Victim {
  explicit Flooded(BatchCodec& shared) : Victim(shared) {
    REQUIRE(greet().has_value());
    (void)say(kMaxFrame);
  }
  // A hundred bytes that expand to more than a mebibyte.
  Bytes bomb(std::uint64_t number) {
    const std::vector<LinkMessage> messages = {
        {.number = number, .cls = "normal", .topic = "t", .payload = Bytes(config::kMaxPayload, 0)}};
    return codec.encode(encode_plain(messages, 1), empty_base(), {.number = number, .may_enter_history = false})
        .bytes;
  }
  // Forty bytes that expand to 512 messages of next to nothing.
  Bytes crowd(std::uint64_t number) {
    std::vector<LinkMessage> messages;
    for (std::uint64_t i = 0; i < kMaxMessages; ++i)
      messages.push_back({.number = number * 1000 + i, .cls = "normal", .topic = "t", .payload = {}});
    return codec.encode(encode_plain(messages, 1), empty_base(), {.number = number, .may_enter_history = false})
        .bytes;
  }
  Result<void> send(std::uint64_t number, const Bytes& batch) {
    return hear({Fragment{number, 0, true, batch}});
  }
};

}  // namespace

TEST_CASE("Bombs that wait for a slow disk are bounded") {
  BatchCodec codec;
  Flooded flooded(codec);
  const bool crowds = GENERATE(false, true);
  REQUIRE((crowds ? flooded.crowd(1) : flooded.bomb(1)).size() < 300);
  Result<void> heard;
  for (std::uint64_t number = 1; number <= (crowds ? 4000 : 200) && heard; ++number)
    heard = flooded.send(number, crowds ? flooded.crowd(number) : flooded.bomb(number));
  CHECK(flooded.host.most_held < kMostHeld);
  // What was taken is stored once the disk answers.
  flooded.host.answer_all(flooded.now);
  CHECK(flooded.host.held == 0);
  CHECK(flooded.host.stored > 0);
}

TEST_CASE("What is urgent does not wait behind bombs for a slow disk") {
  BatchCodec codec;
  Flooded flooded(codec);
  for (std::uint64_t number = 1; number <= 10; ++number)
    REQUIRE(flooded.send(number, flooded.bomb(number)).has_value());
  const std::size_t before = flooded.host.most_held;
  const std::vector<LinkMessage> sos = {
      {.number = 999, .cls = "emergency", .topic = "t", .payload = Bytes(50, 'h')}};
  const auto urgent = codec.encode(encode_plain(sos, 1), empty_base(), {.number = 11, .urgent = true}).bytes;
  REQUIRE(flooded.send(11, urgent).has_value());
  CHECK(flooded.host.most_held > before);  // it is on its way to the disk
}

TEST_CASE("A batch that claims to be larger than any expands to nothing") {
  BatchCodec codec;
  Flooded flooded(codec);
  Bytes bytes = flooded.bomb(1);
  const auto head = decode_head(bytes);
  REQUIRE(head.has_value());
  for (std::size_t at = head->second; at < bytes.size(); ++at) {
    Bytes changed = bytes;
    changed[at] ^= 0xFF;
    (void)flooded.send(1 + at, changed);
  }
  CHECK(flooded.host.most_held <= 3 * kMaxBatch);
  CHECK(flooded.session.up());
}

TEST_CASE("Fragments without end hold no more than the bounds") {
  BatchCodec codec;
  Flooded flooded(codec);
  const Bytes bytes(100, 'x');
  SECTION("the same ones again and again") {
    for (int round = 0; round < 500; ++round)
      for (std::uint64_t batch = 1; batch <= kMaxOpenBatches; ++batch)
        REQUIRE(flooded.hear({Fragment{batch, 50'000, false, bytes}}).has_value());
  }
  SECTION("batches that are begun, voided and begun") {
    for (std::uint64_t batch = 1; batch <= 3000; ++batch) {
      REQUIRE(flooded.hear({Fragment{batch, 1000, false, bytes}, Void{batch, 1}}).has_value());
      flooded.host.answer_all(flooded.now);
    }
  }
  CHECK(flooded.host.stored == 0);
  // None is whole, so all that an honest sender has open still fits.
  CHECK(flooded.session.up());
}

TEST_CASE("Voids of what is void ask nothing of a slow disk") {
  BatchCodec codec;
  Flooded flooded(codec);
  Result<void> heard;
  for (int round = 0; round < 10'000 && heard; ++round) heard = flooded.hear({Void{1, 4000}});
  CHECK(flooded.host.waiting() <= 300);
}

TEST_CASE("Answers that nobody takes are bounded") {
  BatchCodec codec;
  Flooded flooded(codec);
  const Bytes nonsense(3, 0xFF);
  Result<void> heard;
  for (std::uint64_t number = 1; number <= 20'000 && heard; ++number) {
    heard = flooded.hear({Fragment{number, 0, true, nonsense}, Void{number, 1}});
    flooded.host.answer_all(flooded.now);
  }
  std::size_t answers = 0;
  for (Bytes frame = flooded.say(kMaxFrame); !frame.empty(); frame = flooded.say(kMaxFrame))
    for (const auto& item : *decode_frame(frame)) answers += std::holds_alternative<Refused>(item);
  CHECK(answers <= 2 * kMaxOpenBatches);
}

TEST_CASE("A peer that loses every batch and confirms no void is told each void once") {
  BatchCodec codec;
  Flooded flooded(codec);
  for (int i = 0; i < 300; ++i) flooded.accept(1, 3000);
  flooded.now += std::chrono::seconds(20);
  flooded.outgoing.set_target(4000, 0);
  // Whatever comes, it says, it has lost; each is made again under a new number.
  for (int round = 0; round < 400; ++round) {
    const Bytes frame = flooded.say(kMaxFrame);
    flooded.host.answer_all(flooded.now);
    if (frame.empty()) continue;
    for (const auto& item : *decode_frame(frame))
      if (const auto* fragment = std::get_if<Fragment>(&item))
        REQUIRE(flooded.hear({Lost{fragment->batch}}).has_value());
  }
  // In the next session only voids are left to say, in small frames, as on a slow link.
  for (queue::ClassId cls = 1; cls < 5; ++cls) flooded.scheduler.pause(cls, true);
  flooded.disconnect();
  flooded.connect();
  (void)flooded.say(kLeastFrame);
  REQUIRE(flooded.greet().has_value());
  std::multiset<std::uint64_t> told;
  for (int frames = 0; frames < 1000; ++frames) {
    const Bytes frame = flooded.say(kLeastFrame);
    if (frame.empty()) break;
    for (const auto& item : *decode_frame(frame))
      if (const auto* closed = std::get_if<Void>(&item)) told.insert(closed->first);
  }
  CHECK(told.size() == std::set(told.begin(), told.end()).size());
}

}  // namespace tulpar::link
