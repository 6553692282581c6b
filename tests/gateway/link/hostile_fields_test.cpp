// SPDX-License-Identifier: Apache-2.0
//
// A peer that holds the keys and lies in every field that it may write: lengths, bases, numbers, settled marks,
// acknowledgements, greetings, holds. Each ends in a clear error or in nothing; no lie is acknowledged or
// stored.
#include "tests/catch.hpp"
#include "tests/gateway/link/victim.hpp"

namespace tulpar::link {
namespace {

constexpr std::uint64_t kMost = (std::uint64_t{1} << 62) - 1;  // the largest number that the format has

struct Liar : Victim {
  explicit Liar(BatchCodec& shared) : Victim(shared) { REQUIRE(greet().has_value()); }

  // The items that it says until it has nothing more to say.
  std::vector<Item> said() {
    std::vector<Item> all;
    // Fragments point into their frames; nobody here looks at them.
    for (Bytes frame = say(kMaxFrame); !frame.empty(); frame = say(kMaxFrame))
      for (auto& item : *decode_frame(frame)) all.push_back(item);
    return all;
  }
  void ended_with(ByeReason reason) {
    const auto items = said();
    REQUIRE(items.size() == 1);
    REQUIRE(std::holds_alternative<Bye>(items[0]));
    CHECK(std::get<Bye>(items[0]).reason == reason);
    CHECK_FALSE(session.up());
  }
  // A batch that is as it should be, but for `lie`.
  Bytes batch(std::uint64_t number, const std::function<void(BatchCodec::Options&)>& lie = {}) {
    BatchCodec::Options options{.number = number};
    if (lie) lie(options);
    const std::vector<LinkMessage> messages = {
        {.number = number * 10, .cls = "normal", .topic = "t", .payload = Bytes(200, 'x')}};
    return codec.encode(encode_plain(messages, 1), base, options).bytes;
  }
  // What is answered to a whole batch: refused, lost or neither.
  template <class Answer>
  bool answered(std::uint64_t number, const Bytes& bytes) {
    REQUIRE(hear({Fragment{number, 0, true, bytes}}).has_value());
    const auto items = said();
    return std::any_of(items.begin(), items.end(), [&](const Item& item) {
      const auto* answer = std::get_if<Answer>(&item);
      return answer && answer->batch == number;
    });
  }
  void nothing_was_stored() {
    host.answer_all(now);
    CHECK(host.stored == 0);
  }
  Base base = empty_base();
};

// A greeting of the peer that was here, with one thing changed.
Greeting again(const std::function<void(Greeting&)>& lie) {
  Greeting greeting{.incarnation = 5,
                    .known = MemoryHost::kOwn,
                    .closed = {},
                    .partial = {},
                    .next = 10,
                    .settled = 3,
                    .next_message = 40};
  lie(greeting);
  return greeting;
}

}  // namespace

TEST_CASE("Lengths and counts that lie end the session") {
  BatchCodec codec;
  Liar liar(codec);
  const auto bytes =
      GENERATE(Bytes{0x14, 1, 200, 'x'},                                // a fragment longer than its frame
               Bytes{0x12, 1},                                          // one without a byte
               Bytes{0x11, 1, 0x80, 0x80, 0x48, 'x'},                   // one behind the largest batch
               Bytes{0x20, 0, 200, 1, 1},                               // 200 runs, and one
               Bytes{0x20, 0, 34}, Bytes{0x20, 0, 1, 0, 1},             // too many; one without a gap
               Bytes{0x24, 17}, Bytes{0x24, 1, 0}, Bytes{0x24, 1, 33},  // holds
               Bytes{0x21, 0, 1}, Bytes{0x21, 1, 0},                    // voids of nothing
               Bytes{0x01, 0xFF, 0xFF, 3, 1, 1},                        // a greeting that is not there
               Bytes(11, 0x80), Bytes{0x22, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 2});
  CAPTURE(bytes);
  const auto heard = liar.hear(bytes);
  REQUIRE(heard.has_error());
  CHECK_FALSE(heard.error().message.empty());
  liar.ended_with(ByeReason::kMalformed);
}

TEST_CASE("A base that lies is answered and never committed") {
  BatchCodec codec;
  Liar liar(codec);
  // What the liar would have as history, if it were true.
  History history(kBaseWindow);
  history.add(1, Bytes(5000, 'x'));
  liar.base = history.base({1, 1, {}});
  const auto named = [&](std::uint64_t oldest, std::uint64_t newest, std::vector<std::uint64_t> holes) {
    return liar.batch(7, [&](auto& options) { options.base = BaseName{oldest, newest, std::move(holes)}; });
  };
  SECTION("of a batch that was never here") { CHECK(liar.answered<Lost>(7, named(1, 1, {}))); }
  SECTION("of many that were never here, with holes") { CHECK(liar.answered<Lost>(7, named(1, 6, {2, 4}))); }
  SECTION("of itself and later ones") { CHECK(liar.answered<Refused>(7, named(1, 7, {}))); }
  SECTION("from before the first") { CHECK(liar.answered<Refused>(7, named(0, 1, {}))); }
  SECTION("with a hole outside") { CHECK(liar.answered<Refused>(7, named(3, 4, {9}))); }
  SECTION("with more holes than a sender has open") {
    std::vector<std::uint64_t> holes;
    for (std::uint64_t hole = 1; hole <= kMaxOpenBatches + 1; ++hole) holes.push_back(hole);
    CHECK(liar.answered<Refused>(7, named(0, 40, holes)));
  }
  liar.nothing_was_stored();
  CHECK(liar.session.up());
}

TEST_CASE("A size, a check and flags that lie are answered and never committed") {
  BatchCodec codec;
  Liar liar(codec);
  Bytes bytes = liar.batch(1);
  REQUIRE((bytes[0] & 6) == 4);  // compressed, no base: the check stands from 2, the size from 6 on
  SECTION("check") { bytes[3] ^= 1; }
  SECTION("one byte more") { ++bytes[6]; }
  SECTION("one byte less") { --bytes[6]; }
  SECTION("a size beyond every bound") { bytes.insert(bytes.begin() + 6, 5, 0xFF); }
  SECTION("not compressed") { bytes[0] &= ~4; }
  SECTION("a flag that nobody has") { bytes[0] |= 0x40; }
  SECTION("settled 0") { bytes[1] = 0; }
  SECTION("cut") { bytes.pop_back(); }
  CHECK(liar.answered<Refused>(1, bytes));
  liar.nothing_was_stored();
}

TEST_CASE("Message numbers beyond the largest are refused") {
  BatchCodec codec;
  Liar liar(codec);
  const std::vector<LinkMessage> messages = {
      {.number = kMost - 1, .cls = "normal", .topic = "t", .payload = {}},
      {.number = kMost, .cls = "normal", .topic = "t", .payload = {}}};
  const auto plain = [&](std::uint64_t settled, std::size_t count) {
    return codec
        .encode(encode_plain(std::span(messages).first(count), settled), empty_base(),
                {.number = 1, .settled = settled})
        .bytes;
  };
  SECTION("the largest is taken") { CHECK_FALSE(liar.answered<Refused>(1, plain(kMost - 1, 2))); }
  SECTION("one more is not") {
    auto text = encode_plain(messages, kMost - 1);
    text[1] = 0;  // class emergency
    text[2] = 1;  // and a step of one, so that the second is 2^62
    CHECK(
        liar.answered<Refused>(1, codec.encode(text, empty_base(), {.number = 1, .settled = kMost - 1}).bytes));
    liar.nothing_was_stored();
  }
}

TEST_CASE("Numbers far ahead end the session however they are said") {
  BatchCodec codec;
  Liar liar(codec);
  static const Bytes byte(1, 'x');  // of the first run, for all
  const auto item =
      GENERATE_COPY(Item{Fragment{kMost, 0, true, byte}}, Item{Fragment{kMaxBatchAhead + 1, 0, true, byte}},
                    Item{Void{kMost, kMost}}, Item{Void{1, kMost}}, Item{Void{kMaxBatchAhead, 2}});
  CHECK(liar.hear({item}).has_error());
  liar.ended_with(ByeReason::kMalformed);
  liar.nothing_was_stored();
}

TEST_CASE("Acknowledgements of what was never sent end the session and finish nothing") {
  BatchCodec codec;
  Liar liar(codec);
  liar.accept(1, 5000);
  liar.accept(1, 5000);
  liar.now += std::chrono::seconds(20);
  liar.outgoing.set_target(2000, 0);
  REQUIRE_FALSE(liar.say(kLeastFrame).empty());  // asks for a block of numbers, and is given it
  liar.host.answer_all(liar.now);
  (void)liar.say(kLeastFrame);
  liar.host.answer_all(liar.now);
  REQUIRE_FALSE(liar.say(kLeastFrame).empty());
  REQUIRE(liar.outgoing.open_batches() == 1);
  const auto lie = GENERATE(Ack{2, {}}, Ack{kMost, {}}, Ack{0, {{1, 1}}}, Ack{0, {{kMost / 2, 5}}});
  CHECK(liar.hear({lie}).has_error());
  liar.ended_with(ByeReason::kMalformed);
  CHECK(liar.host.finished == 0);
}

TEST_CASE("Answers about batches that are not open change nothing") {
  BatchCodec codec;
  Liar liar(codec);
  for (const std::uint64_t batch : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{77}, kMost})
    CHECK(liar.hear({Lost{batch}, Refused{batch}}).has_value());
  for (const auto& item : liar.said()) CHECK(std::holds_alternative<Greeting>(item));
  CHECK(liar.outgoing.open_batches() == 0);
  CHECK(liar.session.up());
}

TEST_CASE("A greeting with impossible numbers ends its session, and the next one that is right goes on") {
  BatchCodec codec;
  Liar liar(codec);
  REQUIRE(liar.hear({Fragment{3, 0, true, liar.batch(3)}}).has_value());
  liar.host.answer_all(liar.now);
  REQUIRE(liar.host.stored == 1);
  liar.disconnect();
  liar.connect();
  (void)liar.say(kMaxFrame);
  SECTION("what was here was never sent") {
    CHECK(liar.hear({again([](auto& greeting) { greeting.next = 3; })}).has_error());
    liar.ended_with(ByeReason::kRolledBack);
  }
  SECTION("messages that were here were never sent") {
    CHECK(liar.hear({again([](auto& greeting) { greeting.next_message = 30; })}).has_error());
    liar.ended_with(ByeReason::kRolledBack);
  }
  SECTION("it has closed what we never sent") {
    CHECK(liar.hear({again([](auto& greeting) { greeting.closed.cumulative = kMost; })}).has_error());
    CHECK(liar.session.must_renew());
  }
  SECTION("void beyond its own next number, sums beyond every number, no incarnation") {
    const auto wrong = GENERATE(1, 2, 3, 4);
    CHECK(liar.hear({again([&](Greeting& greeting) {
                if (wrong == 1) greeting.void_count = 10;
                if (wrong == 2) greeting.floor = greeting.void_count = kMost;
                if (wrong == 3) greeting.incarnation = 0;
                if (wrong == 4) greeting.least = 9;
              })})
              .has_error());
  }
  SECTION("unfinished batches that are larger than they can be") {
    CHECK(liar.hear({again([](auto& greeting) {
                greeting.partial = {{1, kMost}, {kMost, 1}, {0, 0}};
              })})
              .has_value());
  }
  liar.disconnect();
  liar.connect();
  auto right = again([](auto&) {});
  right.known = liar.host.own();
  REQUIRE(liar.hear({right}).has_value());
  CHECK(liar.host.incarnation == 5);
  CHECK(liar.host.closed.contains(3));
}

TEST_CASE("Voids of everything to come shut out nobody but the one who said them") {
  BatchCodec codec;
  Liar liar(codec), honest(codec);
  auto all = again([](Greeting& greeting) {
    greeting.floor = 1;
    greeting.void_count = kMost - 1;
    greeting.next = greeting.next_message = kMost;
  });
  liar.disconnect();
  liar.connect();
  REQUIRE(liar.hear({all}).has_value());
  liar.host.answer_all(liar.now);
  REQUIRE(liar.hear({Fragment{1, 0, true, liar.batch(1)}}).has_value());
  liar.nothing_was_stored();
  REQUIRE(honest.hear({Fragment{1, 0, true, honest.batch(1)}}).has_value());
  honest.host.answer_all(honest.now);
  CHECK(honest.host.stored == 1);
}

TEST_CASE("A new incarnation in each session leaves no trace of the former ones") {
  BatchCodec codec;
  Liar liar(codec);
  for (std::uint64_t life = 6; life < 300; ++life) {
    liar.disconnect();
    liar.connect();
    (void)liar.say(kMaxFrame);
    REQUIRE(liar.hear({again([&](auto& greeting) { greeting.incarnation = life; })}).has_value());
    REQUIRE(liar.hear({Fragment{1, 0, true, liar.batch(1)}}).has_value());
    liar.host.answer_all(liar.now);
  }
  CHECK(liar.host.stored == 294);
  CHECK(liar.host.closed.runs().empty());
  CHECK(liar.host.incarnation == 299);
}

}  // namespace tulpar::link
