// SPDX-License-Identifier: Apache-2.0
#include "gateway/link/outgoing.hpp"

#include "tests/catch.hpp"
#include "tests/gateway/link/world.hpp"

namespace tulpar::link {
namespace {

struct Host : OutgoingHost {
  void load(const std::vector<queue::Entry>& entries) override { loading = entries; }
  void drop(const std::vector<queue::Entry>& entries, queue::DropReason why) override {
    dropped.insert(dropped.end(), entries.begin(), entries.end());
    reason = why;
  }
  void reserve(std::uint64_t count) override { asked += count; }
  void begin(std::uint64_t, std::vector<queue::MessageId> ids) override { begun.push_back(std::move(ids)); }
  void settle(queue::SettledBatch batch, std::vector<std::uint64_t>) override {
    settled.push_back(std::move(batch));
  }
  void given_back(const std::vector<queue::Entry>& entries) override { back += entries.size(); }
  void clear_history(std::uint64_t from) override {
    ++cleared;
    cleared_from = from;
  }
  void raise_floor(std::uint64_t to) override { floor = to; }
  std::vector<queue::Entry> loading, dropped;
  std::vector<std::vector<queue::MessageId>> begun;
  std::vector<queue::SettledBatch> settled;
  queue::DropReason reason = queue::DropReason::kNone;
  std::uint64_t asked = 0, floor = 0, cleared_from = 0;
  std::size_t back = 0, cleared = 0;
};

struct Fixture {
  Host host;
  BatchCodec codec;
  queue::Scheduler scheduler{quick_classes()};
  Outgoing outgoing{{queue::kClassNames, {true, true, true, true, false}},
                    scheduler,
                    codec,
                    host,
                    {.incarnation = 9, .batch_end = 1 + BatchNumbers::kBlock, .history = {}, .queued = {}}};
  BootTime now{std::chrono::hours(1)};
  std::uint64_t number = 0;

  Fixture() { greet({}); }
  void greet(const Ack& closed) {
    Greeting own;
    outgoing.on_connected();
    outgoing.describe(own);
    REQUIRE(
        outgoing
            .on_greeting(Greeting{.incarnation = 5, .known = 9, .closed = closed, .partial = {}}, false, now)
            .has_value());
  }
  void add(queue::ClassId cls = 2) {
    ++number;
    scheduler.add({.id = static_cast<queue::MessageId>(number),
                   .number = number,
                   .accepted = now - Millis{5000},
                   .bytes = 100,
                   .cls = cls});
  }
  // Makes one batch of what is queued.
  void make(std::size_t gone = 0) {
    outgoing.prepare(now);
    std::vector<queue::Body> bodies;
    for (const auto& entry : host.loading) bodies.push_back({entry.id, "t", Bytes(99, 'x')});
    bodies.resize(bodies.size() - gone);
    host.loading.clear();
    outgoing.on_loaded(std::move(bodies), now);
  }
  void send_all() {
    for (;;) {
      FrameBuilder frame(500);
      outgoing.fill(frame, now);
      if (frame.empty()) return;
      frames.push_back(frame.take());
    }
  }
  std::vector<Bytes> frames;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "A batch's frame bytes are shared among its messages without a byte left over") {
  for (int i = 0; i < 7; ++i) add();
  make();
  send_all();
  REQUIRE(outgoing.on_ack(Ack{1, {}}, now + Millis{700}).has_value());
  REQUIRE(host.settled.size() == 1);
  std::int64_t sum = 0, sent = 0;
  for (const auto& cost : host.settled[0].messages) sum += cost.frame_bytes;
  for (const auto& frame : frames) sent += static_cast<std::int64_t>(frame.size());
  CHECK(host.settled[0].messages.size() == 7);
  CHECK(sum == sent);
  CHECK(host.settled[0].floor == 2);
  CHECK(outgoing.last_round_trip() == Millis{700});
}

TEST_CASE_METHOD(Fixture, "The settled mark covers only what is told to be on disk") {
  add();
  make();
  send_all();
  REQUIRE(outgoing.on_ack(Ack{1, {}}, now).has_value());
  Greeting greeting;
  outgoing.describe(greeting);
  CHECK(greeting.settled == 1);
  const std::uint64_t done[] = {1};
  outgoing.on_settled(done);
  outgoing.describe(greeting);
  CHECK(greeting.settled == 2);
  CHECK(greeting.next_message == 2);
}

TEST_CASE_METHOD(Fixture, "Messages whose bodies are gone are dropped and the others go") {
  add();
  add();
  make(1);
  REQUIRE(host.dropped.size() == 1);
  CHECK(host.reason == queue::DropReason::kUnreadable);
  REQUIRE(host.begun.size() == 1);
  CHECK(host.begun[0].size() == 1);
}

TEST_CASE_METHOD(Fixture, "A message that no peer takes is dropped before it has a batch") {
  add();
  add();
  outgoing.prepare(now);
  REQUIRE(host.loading.size() == 2);
  outgoing.on_loaded({{host.loading[0].id, "t", Bytes(config::kMaxPayload + 1, 'x')},
                      {host.loading[1].id, "t", Bytes(99, 'x')}},
                     now);
  REQUIRE(host.dropped.size() == 1);
  CHECK(host.reason == queue::DropReason::kTooLarge);
  REQUIRE(host.begun.size() == 1);
  CHECK(host.begun[0].size() == 1);
}

TEST_CASE_METHOD(Fixture,
                 "A refused batch goes again each message alone and what is refused alone is dropped") {
  add();
  add();
  make();
  send_all();
  outgoing.on_refused(1);
  CHECK(host.back == 2);
  make();
  send_all();
  make();
  REQUIRE(host.begun.size() == 3);
  CHECK(host.begun[1].size() == 1);
  CHECK(host.begun[2].size() == 1);
  CHECK(std::get<Void>(decode_frame(frames.at(1))->at(0)).first == 1);
  outgoing.on_refused(2);
  REQUIRE(host.dropped.size() == 1);
  CHECK(host.reason == queue::DropReason::kRefused);
  CHECK(outgoing.open_batches() == 1);
  FrameBuilder frame(500);
  outgoing.fill(frame, now);
  const auto items = decode_frame(frame.take());
  CHECK(std::get<Void>(items->at(0)).first == 2);
}

TEST_CASE_METHOD(Fixture, "The last places of 32 are for what is urgent") {
  for (int i = 0; i < 40; ++i) {
    add();
    make();
    if (host.begun.size() < static_cast<std::size_t>(i) + 1) break;
    send_all();
    outgoing.on_reserved(1000);
  }
  CHECK(outgoing.open_batches() == 28);
  for (int i = 0; i < 10; ++i) {
    add(queue::kEmergency);
    make();
    send_all();
  }
  CHECK(outgoing.open_batches() == 32);
}

TEST_CASE_METHOD(Fixture, "No number is used that is not reserved") {
  constexpr std::uint64_t kBlock = BatchNumbers::kBlock;
  for (std::uint64_t i = 0; i < kBlock + 6; ++i) {
    add(queue::kEmergency);
    make();
    send_all();
    (void)outgoing.on_ack(Ack{i + 1, {}}, now);
  }
  CHECK(host.begun.size() == kBlock);
  CHECK(host.asked == kBlock);
  outgoing.on_reserved(2 * kBlock + 1);
  make();
  CHECK(host.begun.size() == kBlock + 1);
}

TEST_CASE_METHOD(Fixture,
                 "Where no more numbers can be reserved, what is not urgent stays and emergencies go") {
  constexpr std::uint64_t kForAll = BatchNumbers::kBlock - BatchNumbers::kForUrgent;
  for (std::uint64_t i = 0; i < kForAll + 3; ++i) {
    add();
    make();
    send_all();
    (void)outgoing.on_ack(Ack{i + 1, {}}, now);
  }
  CHECK(host.begun.size() == kForAll);
  add(queue::kEmergency);
  make();
  CHECK(host.begun.size() == kForAll + 1);
}

TEST_CASE_METHOD(Fixture, "A lost base begins a new history under a new number") {
  add();
  make();
  send_all();
  REQUIRE(outgoing.on_ack(Ack{1, {}}, now).has_value());
  add();
  make();
  send_all();
  outgoing.on_lost(2);
  CHECK(host.cleared == 1);
  CHECK(host.cleared_from == 3);
  CHECK(host.back == 1);
  make();
  send_all();
  const auto fragment = std::get<Fragment>(decode_frame(frames.back())->back());
  CHECK(fragment.batch == 3);
  CHECK_FALSE(decode_head(fragment.bytes)->first.has_base);
}

TEST_CASE_METHOD(Fixture, "A new incarnation has no history of what was settled before it") {
  add();
  make();
  send_all();
  REQUIRE(outgoing.on_ack(Ack{1, {}}, now).has_value());
  outgoing.on_renewed(77);
  CHECK(host.cleared == 1);
  CHECK(host.cleared_from == 2);
}

TEST_CASE_METHOD(Fixture, "An acknowledgement of what nothing was sent of is an error") {
  add();
  make();
  CHECK(outgoing.on_ack(Ack{1, {}}, now).has_error());
  CHECK(outgoing.on_ack(Ack{2, {}}, now).has_error());
  CHECK(host.settled.empty());
}

TEST_CASE_METHOD(Fixture, "A peer that forgot what it acknowledged was rolled back") {
  add();
  make();
  send_all();
  REQUIRE(outgoing.on_ack(Ack{1, {}}, now).has_value());
  outgoing.on_disconnected();
  outgoing.on_connected();
  Greeting own;
  outgoing.describe(own);
  CHECK(outgoing.on_greeting(Greeting{.incarnation = 5, .known = 9, .closed = {}, .partial = {}}, false, now)
            .has_error());
}

TEST_CASE_METHOD(Fixture, "A peer that knows a life of ours that we do not: this side was rolled back") {
  Greeting own;
  outgoing.on_connected();
  outgoing.describe(own);
  REQUIRE(own.lives.size() == 1);
  Greeting peer{.incarnation = 5, .known = 9, .closed = {}, .partial = {}};
  peer.known_life = own.lives.back().name + 1;
  CHECK(outgoing.on_greeting(peer, false, now).has_error());
  // What it says of another incarnation means nothing.
  CHECK(outgoing.on_greeting(peer, true, now).has_value());
  peer.known_life = own.lives.back().name;
  CHECK(outgoing.on_greeting(peer, false, now).has_value());
}

TEST_CASE_METHOD(Fixture, "A transfer goes on where the peer has it after a break") {
  add();
  make();
  FrameBuilder first(20);
  outgoing.fill(first, now);
  outgoing.on_disconnected();
  outgoing.on_connected();
  Greeting own;
  outgoing.describe(own);
  REQUIRE(
      outgoing
          .on_greeting(Greeting{.incarnation = 5, .known = 9, .closed = {}, .partial = {{1, 7}}}, false, now)
          .has_value());
  send_all();
  CHECK(std::get<Fragment>(decode_frame(frames.at(0))->at(0)).offset == 7);
}

}  // namespace tulpar::link
