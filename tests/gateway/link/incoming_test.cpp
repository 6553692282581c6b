// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/incoming.hpp"

#include "tests/catch.hpp"

namespace tulpar::link {
namespace {

struct Host : IncomingHost {
  void store(ArrivedBatch batch) override { stored.push_back(std::move(batch)); }
  void void_batches(std::uint64_t first, std::uint64_t count, std::uint32_t life) override {
    voided.emplace_back(first, count);
    lives.push_back(life);
  }
  void reset(std::uint64_t incarnation, std::uint64_t floor) override {
    resets.emplace_back(incarnation, floor);
  }
  std::vector<ArrivedBatch> stored;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> voided, resets;
  std::vector<std::uint32_t> lives;  // that voided
};

struct Fixture {
  Host host;
  BatchCodec codec;
  Incoming incoming{
      codec, host,
      queue::ReceiveState{
          .incarnation = 5, .numbers = queue::NumberSet(), .batches = queue::NumberSet(), .history = {}}};
  BootTime now{std::chrono::hours(1)};

  Bytes batch(std::uint64_t number, bool urgent = false) {
    const std::vector<LinkMessage> messages = {
        {.number = number * 10, .cls = "normal", .topic = "t", .payload = {1, 2, 3}}};
    return codec.encode(encode_plain(messages, 1), empty_base(), {.number = number, .urgent = urgent}).bytes;
  }
  void arrive(std::uint64_t number, bool urgent = false) {
    const Bytes bytes = batch(number, urgent);
    REQUIRE(incoming.on_fragment({number, 0, true, bytes}, now).has_value());
  }
  // What the next frame says; the frame is made even if none is due.
  std::vector<Item> said() {
    FrameBuilder frame(kMaxFrame);
    incoming.fill(frame);
    return frame.empty() ? std::vector<Item>{} : *decode_frame(frame.take());
  }
  static Greeting greeting(std::uint64_t incarnation) {
    return {.incarnation = incarnation, .closed = {}, .partial = {}, .next = 100, .next_message = 10'000};
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "Nothing is acknowledged before it is stored") {
  arrive(1);
  REQUIRE(host.stored.size() == 1);
  CHECK(host.stored[0].batch.incarnation == 5);
  CHECK(std::get<Ack>(said().at(0)).cumulative == 0);
  incoming.on_stored(1, true, now);
  CHECK(std::get<Ack>(said().at(0)).cumulative == 1);
  CHECK(said().empty());
}

TEST_CASE_METHOD(Fixture, "An acknowledgement waits for company, for an urgent batch it does not") {
  incoming.set_round_trip(Millis{400});
  arrive(1);
  said();
  incoming.on_stored(1, true, now);
  CHECK(incoming.ack_due().value_or(BootTime::max()) <= now + Millis{100});
  SECTION("two together") {
    arrive(2);
    incoming.on_stored(2, true, now);
    CHECK(incoming.ack_due() == now);
  }
  SECTION("urgent") {
    arrive(2, true);
    incoming.on_stored(2, true, now);
    CHECK(incoming.ack_due() == now);
  }
  SECTION("a long round trip") {
    said();
    incoming.set_round_trip(Millis{5000});
    arrive(3);
    said();
    incoming.on_stored(3, true, now);
    CHECK(incoming.ack_due() == now + Millis{150});
  }
}

TEST_CASE_METHOD(Fixture, "Pieces in any order and repetition make one batch") {
  const Bytes bytes = batch(1);
  const ByteView view(bytes);
  const auto piece = [&](std::size_t first, std::size_t end) {
    return incoming.on_fragment({1, first, end == bytes.size(), view.subspan(first, end - first)}, now)
        .has_value();
  };
  CHECK(piece(8, bytes.size()));
  CHECK(piece(0, 3));
  CHECK(piece(2, 6));
  CHECK(piece(0, 3));
  CHECK(host.stored.empty());
  Greeting greeting;
  incoming.describe(greeting);
  CHECK(greeting.partial == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{1, 6}});
  CHECK(piece(5, 9));
  REQUIRE(host.stored.size() == 1);
  CHECK(host.stored[0].messages.at(0).number == 10);
}

TEST_CASE_METHOD(Fixture, "A copy of a batch that is being stored or closed is not stored again") {
  arrive(1);
  arrive(1);
  incoming.on_stored(1, true, now);
  said();
  arrive(1);
  CHECK(host.stored.size() == 1);
  CHECK(incoming.ack_due().has_value());
}

TEST_CASE_METHOD(Fixture, "A store that refuses is not acknowledged and the batch may come again") {
  arrive(1);
  incoming.on_stored(1, false, now);
  CHECK(incoming.refused());
  CHECK(std::get<Ack>(said().at(0)).cumulative == 0);
  incoming.on_disconnected();
  CHECK_FALSE(incoming.refused());
  arrive(1);
  CHECK(host.stored.size() == 2);
}

TEST_CASE_METHOD(Fixture, "A batch whose base is not here is answered as lost and a broken one as refused") {
  const Bytes bytes = {2 | 4, 1, 0, 0, 0, 1, 2, 3, 4, 9, 0, 0};
  REQUIRE(incoming.on_fragment({2, 0, true, bytes}, now).has_value());
  auto items = said();
  REQUIRE(items.size() == 2);
  CHECK(std::get<Lost>(items[1]).batch == 2);
  const Bytes broken = {0, 1, 1, 2, 3, 4, 9};
  REQUIRE(incoming.on_fragment({3, 0, true, broken}, now).has_value());
  items = said();
  REQUIRE(items.size() == 2);
  CHECK(std::get<Refused>(items[1]).batch == 3);
  CHECK(host.stored.empty());
}

TEST_CASE_METHOD(Fixture, "What does not fit a frame is said in the next one") {
  for (std::uint64_t number = 1000; number < 1300; ++number) {
    const Bytes broken = {0, 1, 1, 2, 3, 4, 9};
    REQUIRE(incoming.on_fragment({number, 0, true, broken}, now).has_value());
  }
  std::size_t refused = 0;
  for (int frames = 0; incoming.ack_due() && frames < 100; ++frames) {
    FrameBuilder frame(256);
    incoming.fill(frame);
    for (const auto& item : *decode_frame(frame.take())) refused += std::holds_alternative<Refused>(item);
  }
  CHECK(refused == 300);
}

TEST_CASE_METHOD(Fixture, "Another life of the peer resets, and answers of the life before do not count") {
  arrive(1);
  REQUIRE(incoming.on_greeting(greeting(6)).has_value());
  CHECK(host.resets == std::vector<std::pair<std::uint64_t, std::uint64_t>>{{6, 1}});
  incoming.on_stored(1, true, now);
  CHECK_FALSE(incoming.ack_due().has_value());
  CHECK(said().empty());
  // A third life before the second is on disk: its batch 1 is not the one that was stored.
  incoming.on_disconnected();
  REQUIRE(incoming.on_greeting(greeting(7)).has_value());
  arrive(1);
  incoming.on_reset(true);
  incoming.on_stored(1, true, now);
  CHECK(said().empty());
  incoming.on_reset(true);
  CHECK(std::get<Ack>(said().at(0)).cumulative == 0);
  incoming.on_stored(1, true, now);
  CHECK(std::get<Ack>(said().at(0)).cumulative == 1);
}

TEST_CASE_METHOD(Fixture, "A reset that the disk refuses leaves a peer that is not known") {
  REQUIRE(incoming.on_greeting(greeting(6)).has_value());
  incoming.on_reset(false);
  CHECK(incoming.refused());
  arrive(1);
  CHECK(host.stored.empty());
  Greeting own;
  incoming.describe(own);
  CHECK(own.known == 0);
  CHECK(own.closed == Ack{});
  incoming.on_disconnected();
  REQUIRE(incoming.on_greeting(greeting(6)).has_value());
  CHECK(host.resets.size() == 2);
}

TEST_CASE_METHOD(Fixture, "A greeting of an older state is an error and its void closes what is void") {
  arrive(4);
  incoming.on_stored(4, true, now);
  Greeting older = greeting(5);
  older.next = 4;
  CHECK(incoming.on_greeting(older).has_error());
  older.next = 5;
  older.next_message = 40;
  CHECK(incoming.on_greeting(older).has_error());
  Greeting good = greeting(5);
  good.floor = 3;
  good.void_count = 5;
  CHECK(incoming.on_greeting(good).has_value());
  REQUIRE(host.voided.size() == 1);
  CHECK(host.voided[0] == std::pair<std::uint64_t, std::uint64_t>{1, 7});
  said();
  CHECK_FALSE(incoming.ack_due().has_value());
  incoming.on_voided(1, 7, true, now);
  CHECK(std::get<Ack>(said().at(0)).cumulative == 7);
}

TEST_CASE_METHOD(Fixture, "A peer that does not remember the life of what is here was rolled back") {
  auto peer = greeting(5);
  peer.lives = {{7, 65'536, 257}, {8}};
  REQUIRE(incoming.on_greeting(peer).has_value());
  arrive(1);
  CHECK(host.stored.at(0).batch.life == 8);
  Greeting said;
  incoming.describe(said);
  CHECK(said.known_life == 8);
  incoming.on_stored(1, true, now);

  SECTION("another start goes on") {
    peer.lives = {{7, 65'536, 257}, {8, 131'072, 513}, {9}};
    peer.floor = 5;
    REQUIRE(incoming.on_greeting(peer).has_value());
    CHECK(host.lives == std::vector<std::uint32_t>{9});
  }
  SECTION("an old copy that was started twice, its numbers are beyond all that is here") {
    peer.lives = {{7, 65'536, 257}, {10, 131'072, 513}, {11}};
    const auto done = incoming.on_greeting(peer);
    REQUIRE(done.has_error());
    CHECK(done.error().message.find("does not remember the life") != std::string::npos);
    peer.lives = {{8, 131'072, 513}, {9}};
    CHECK(incoming.on_greeting(peer).has_value());
  }
  SECTION("an old copy of the same life, from before it took more message numbers") {
    peer.lives = {{7, 65'536, 257}, {8, 10, 513}, {9}};
    CHECK(incoming.on_greeting(peer).has_error());
    peer.lives[1].message_end = 11;
    CHECK(incoming.on_greeting(peer).has_value());
  }
  SECTION("and from before it took more batch numbers") {
    peer.lives = {{7, 65'536, 257}, {8, 131'072, 1}, {9}};
    CHECK(incoming.on_greeting(peer).has_error());
    peer.lives[1].batch_end = 2;
    CHECK(incoming.on_greeting(peer).has_value());
  }
  SECTION("a new incarnation begins anew") {
    peer.lives = {{10}};
    peer.incarnation = 6;
    CHECK(incoming.on_greeting(peer).has_value());
  }
}

TEST_CASE_METHOD(Fixture, "Pieces of numbers that a restored peer has not used are forgotten") {
  const Bytes bytes = batch(50);
  REQUIRE(incoming.on_fragment({50, 0, false, ByteView(bytes).first(5)}, now).has_value());
  Greeting restored = greeting(5);
  restored.next = 50;
  REQUIRE(incoming.on_greeting(restored).has_value());
  Greeting own;
  incoming.describe(own);
  CHECK(own.partial.empty());
}

}  // namespace tulpar::link
