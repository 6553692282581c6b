// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/batch.hpp"

#include <random>

#include "config/types.hpp"
#include "gateway/link/frame.hpp"
#include "tests/catch.hpp"

namespace tulpar::link {
namespace {

constexpr std::uint64_t kMost = (std::uint64_t{1} << 62) - 1;

Bytes text(std::string_view words) { return {words.begin(), words.end()}; }

LinkMessage message(std::uint64_t number, std::string topic = "t", Bytes payload = text("hello")) {
  return {.number = number, .cls = "normal", .topic = std::move(topic), .payload = std::move(payload)};
}

std::vector<LinkMessage> random_messages(std::mt19937& random) {
  const std::string classes[] = {"emergency",          "message", "normal", "telemetry", "bulk", "weather",
                                 std::string(255, 'c')};
  std::vector<LinkMessage> messages;
  std::uint64_t number = 1 + random() % 1000;
  for (unsigned count = 1 + random() % 20; count > 0; --count, number += 1 + random() % 3) {
    LinkMessage made{.number = number,
                     .cls = classes[random() % std::size(classes)],
                     .topic = "mesh/" + std::to_string(random() % 3),
                     .payload = Bytes(random() % 300),
                     .age_s = random() % 100'000,
                     .flagged = random() % 5 == 0};
    for (auto& byte : made.payload)
      byte = static_cast<std::uint8_t>(random() % 3 ? 'a' + random() % 4 : random());
    messages.push_back(std::move(made));
  }
  return messages;
}

BatchCodec::Decoded decode(BatchCodec& codec, const Bytes& batch, const Base& base) {
  const auto head = decode_head(batch);
  REQUIRE(head.has_value());
  return codec.decode(head->first, ByteView(batch).subspan(head->second), base);
}

// A plain text of one message, from its parts.
Bytes plain_of(std::uint8_t head, std::uint64_t step, std::uint64_t age, std::uint64_t topic_size,
               const Bytes& tail) {
  Writer out;
  out.varint(1);
  out.u8(head);
  out.varint(step);
  out.varint(age);
  out.varint(topic_size);
  out.bytes(tail);
  return out.take();
}

}  // namespace

TEST_CASE("Messages survive plain text, compression and a base, and are never larger than plain and head") {
  BatchCodec codec;
  for (unsigned seed = 1; seed <= 200; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    History history(kBaseWindow);
    history.add(3, encode_plain(random_messages(random), 1));
    history.add(5, encode_plain(random_messages(random), 1));
    const auto messages = random_messages(random);
    const std::uint64_t settled = messages[0].number - random() % messages[0].number;
    const Bytes plain = encode_plain(messages, std::max<std::uint64_t>(settled, 1));
    const auto name = random() % 3 ? history.name({4}) : std::nullopt;
    const Base base = name ? history.base(*name) : empty_base();
    const auto encoded =
        codec.encode(plain, base, {.number = 9, .settled = std::max<std::uint64_t>(settled, 1), .base = name});
    CHECK(encoded.bytes.size() <= plain.size() + 5 + varint_size(settled) + (encoded.has_base ? 8 : 0));
    const auto head = decode_head(encoded.bytes);
    REQUIRE(head.has_value());
    if (head->first.has_base) CHECK(base_name(head->first, 9).value() == *name);
    const auto decoded = decode(codec, encoded.bytes, encoded.has_base ? base : empty_base());
    REQUIRE_FALSE(decoded.problem.has_value());
    CHECK(decode_plain(decoded.plain, head->first.settled).value() == messages);
  }
}

TEST_CASE("A batch made with one base is never accepted with another") {
  BatchCodec codec;
  History mine(kBaseWindow), yours(kBaseWindow);
  const Bytes said = encode_plain(
      std::vector(20, message(1, "mesh/node/telemetry", text("{\"battery\":87,\"voltage\":4.1}"))), 1);
  mine.add(1, said);
  mine.add(2, said);
  yours.add(1, said);
  const auto name = mine.name({});
  const auto encoded = codec.encode(said, mine.base(*name), {.number = 3, .base = name});
  REQUIRE(encoded.has_base);
  CHECK_FALSE(decode(codec, encoded.bytes, mine.base(*name)).problem.has_value());
  CHECK(decode(codec, encoded.bytes, yours.base(*name)).problem == BatchCodec::Problem::kWrongBase);
  CHECK(decode(codec, encoded.bytes, empty_base()).problem == BatchCodec::Problem::kWrongBase);
  // Same text under other numbers is another base.
  yours.add(4, said);
  CHECK(decode(codec, encoded.bytes, yours.base({1, 4, {}})).problem == BatchCodec::Problem::kWrongBase);
}

TEST_CASE("A batch cut or with a bit flipped anywhere gives nothing") {
  BatchCodec codec;
  const std::vector<LinkMessage> messages(10, message(1, "mesh/a", text("the same words again and again")));
  std::vector<LinkMessage> numbered = messages;
  for (std::size_t i = 0; i < numbered.size(); ++i) numbered[i].number = i + 1;
  const Bytes plain = encode_plain(numbered, 1);
  const Bytes batch = codec.encode(plain, empty_base(), {.number = 1}).bytes;
  const auto accepted = [&](const Bytes& bytes) {
    const auto head = decode_head(bytes);
    if (!head || head->first.has_base) return false;
    return !codec.decode(head->first, ByteView(bytes).subspan(head->second), empty_base()).problem;
  };
  REQUIRE(accepted(batch));
  for (std::size_t cut = 0; cut < batch.size(); ++cut)
    CHECK_FALSE(accepted(Bytes(batch.begin(), batch.begin() + cut)));
  for (std::size_t bit = 16; bit < batch.size() * 8; ++bit) {
    Bytes flipped = batch;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    // A bit that changes nothing of the text (zstd has some) may pass, a changed text never.
    const auto head = decode_head(flipped);
    if (!head) continue;
    const auto decoded = codec.decode(head->first, ByteView(flipped).subspan(head->second), empty_base());
    if (!decoded.problem) CHECK(decoded.plain == plain);
  }
}

TEST_CASE("What compression does not shrink is sent plain and enters no history") {
  BatchCodec codec;
  std::mt19937 random(1);
  Bytes noise(500);
  for (auto& byte : noise) byte = static_cast<std::uint8_t>(random());
  const auto encoded = codec.encode(noise, empty_base(), {.number = 1});
  CHECK(encoded.bytes.size() == noise.size() + 6);
  CHECK_FALSE(encoded.enters_history);
  CHECK_FALSE(encoded.has_base);
  CHECK(codec.encode(Bytes(500, 'x'), empty_base(), {.number = 1}).enters_history);
  CHECK_FALSE(
      codec.encode(Bytes(500, 'x'), empty_base(), {.number = 1, .may_enter_history = false}).enters_history);
}

TEST_CASE("The largest message fits a batch and comes back") {
  BatchCodec codec;
  std::mt19937 random(1);
  Bytes payload(config::kMaxPayload);
  for (auto& byte : payload) byte = static_cast<std::uint8_t>(random());
  const std::vector messages = {message(kMost, std::string(config::kMaxTopic, 't'), payload)};
  const Bytes plain = encode_plain(messages, kMost);
  const Bytes batch = codec.encode(plain, empty_base(), {.number = 1, .settled = kMost}).bytes;
  CHECK(batch.size() <= kMaxBatch);
  CHECK(decode_plain(decode(codec, batch, empty_base()).plain, kMost).value() == messages);
}

TEST_CASE("A bomb is refused before anything is allocated") {
  BatchCodec codec;
  const Bytes zeros(kMaxBatch, 0);
  const Bytes batch = codec.encode(zeros, empty_base(), {.number = 1}).bytes;
  REQUIRE(batch.size() < 1000);
  Writer more;
  more.bytes(ByteView(batch).first(6));
  more.varint(kMaxBatch + 1);
  more.bytes(ByteView(batch).subspan(6 + varint_size(kMaxBatch)));
  CHECK(decode_head(more.view()).has_error());
  // A declared size that is not the true one.
  Writer less;
  less.bytes(ByteView(batch).first(6));
  less.varint(1000);
  less.bytes(ByteView(batch).subspan(6 + varint_size(kMaxBatch)));
  CHECK(decode(codec, less.take(), empty_base()).problem == BatchCodec::Problem::kMalformed);
}

TEST_CASE("Topics as before expand only within bounds") {
  Writer out;
  const Bytes topic(60'000, 't');
  out.varint(100);
  for (int i = 0; i < 100; ++i) {
    out.u8(i ? 0x12 : 0x02);
    out.varint(0);
    out.varint(0);
    if (i == 0) {
      out.varint(topic.size());
      out.bytes(topic);
    }
    out.varint(0);
  }
  CHECK(decode_plain(out.view(), 1).has_error());
}

TEST_CASE("More messages than a batch may have are refused") {
  std::vector<LinkMessage> messages;
  for (std::uint64_t n = 1; n <= kMaxMessages; ++n) messages.push_back(message(n));
  CHECK(decode_plain(encode_plain(messages, 1), 1).has_value());
  messages.push_back(message(kMaxMessages + 1));
  CHECK(decode_plain(encode_plain(messages, 1), 1).has_error());
}

TEST_CASE("Plain text out of bounds is refused") {
  const Bytes good = {'t', 1, 'x'};
  CHECK(decode_plain(plain_of(0x02, 0, 0, 1, good), 1).has_value());
  CHECK(decode_plain(plain_of(0x02, 0, 10ull * 366 * 86'400, 1, good), 1).has_value());
  CHECK(decode_plain(plain_of(0x02, 0, 10ull * 366 * 86'400 + 1, 1, good), 1).has_error());
  CHECK(decode_plain(plain_of(0x02, kMost - 1, 0, 1, good), 1).has_value());
  CHECK(decode_plain(plain_of(0x02, kMost, 0, 1, good), 1).has_error());
  CHECK(decode_plain(plain_of(0x02, ~std::uint64_t{0}, 0, 1, good), 1).has_error());
  CHECK(decode_plain(plain_of(0x05, 0, 0, 1, good), 1).has_error());
  CHECK(decode_plain(plain_of(0x42, 0, 0, 1, good), 1).has_error());
  CHECK(decode_plain(plain_of(0x12, 0, 0, 1, good), 1).has_error());
  CHECK(decode_plain(plain_of(0x02, 0, 0, 0, {1, 'x'}), 1).has_error());
  CHECK(decode_plain(plain_of(0x02, 0, 0, 70'000, good), 1).has_error());
  CHECK(decode_plain(plain_of(0x02, 0, 0, 1, {'t', 1, 'x', 'y'}), 1).has_error());
  CHECK(decode_plain(Bytes{0}, 1).has_error());
  CHECK(decode_plain(Bytes{}, 1).has_error());
}

TEST_CASE("A batch's head out of bounds is refused") {
  CHECK(decode_head(Bytes{0, 1, 1, 2, 3, 4}).has_value());
  CHECK(decode_head(Bytes{0x10, 1, 1, 2, 3, 4}).has_error());
  CHECK(decode_head(Bytes{0, 0, 1, 2, 3, 4}).has_error());
  CHECK(decode_head(Bytes{2, 1, 0, 0, 33, 1, 2, 3, 4}).has_error());
}

TEST_CASE("A base is named by distances and may not reach below the first batch") {
  BatchHead head{.has_base = true, .base = {}};
  head.base = {3, 1, {1, 1}};  // span 3, newest 1 below the batch before
  const auto name = base_name(head, 9);
  REQUIRE(name.has_value());
  CHECK(*name == BaseName{4, 7, {5, 6}});
  head.base.holes = {3};
  CHECK(base_name(head, 9).has_error());
  head.base = {7, 1, {}};
  CHECK(base_name(head, 9).has_error());
  head.base = {0, 8, {}};
  CHECK(base_name(head, 9).has_error());
  head.base = {kMost, kMost, {}};
  CHECK(base_name(head, 9).has_error());
}

}  // namespace tulpar::link
