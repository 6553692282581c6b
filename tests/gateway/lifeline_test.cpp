// SPDX-License-Identifier: Apache-2.0
#include "gateway/lifeline.hpp"

#include "tests/catch.hpp"

namespace tulpar {
namespace {

struct Fixture {
  std::vector<std::uint64_t> sent, given_up;
  std::uint64_t next = 100, numbers = 1000;
  std::optional<bool> listening;
  BootTime now{std::chrono::hours(1)};
  Lifeline lifeline{{.number = [this]() -> std::optional<std::uint64_t> {
                       return next < 100 + numbers ? std::optional(next++) : std::nullopt;
                     },
                     .send = [this](const queue::NewMessage& message) { sent.push_back(message.number); },
                     .give_up = [this](std::uint64_t number) { given_up.push_back(number); },
                     .listen = [this](bool on) { listening = on; }}};

  static queue::NewMessage message(queue::ClassId cls = queue::kEmergency) {
    queue::NewMessage made;
    made.peer = 1;
    made.cls = cls;
    made.topic = "sos";
    return made;
  }
  // What a mesh gateway publishes of a packet that others heard as well.
  static queue::NewMessage copy_of(std::uint64_t packet) {
    auto made = message();
    made.packet = packet;
    return made;
  }
  std::uint64_t admit(std::uint64_t fingerprint, queue::NewMessage one) {
    lifeline.admit(fingerprint, true, one, now);
    return one.number;
  }
  // A group of messages goes to the store; the number that each got.
  std::vector<std::uint64_t> begin(const std::vector<std::uint64_t>& fingerprints) {
    std::vector<std::uint64_t> numbers_given;
    for (const auto fingerprint : fingerprints) {
      auto one = lifeline.recall(fingerprint, true, now).value_or(message());
      lifeline.admit(fingerprint, true, one, now);
      numbers_given.push_back(one.number);
    }
    lifeline.begin(now);
    return numbers_given;
  }
  void store(const std::vector<std::uint64_t>& fingerprints, bool kept = true) {
    for (const auto fingerprint : fingerprints) lifeline.stored(fingerprint, kept, now);
    lifeline.committed();
  }
  void after(Millis span) {
    now += span;
    lifeline.step(now);
  }
};

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE_METHOD(Fixture, "Lifeline: with a healthy disk nothing leaves but what is stored") {
  CHECK(begin({1, 2}) == Numbers{100, 101});
  after(Lifeline::kSuspicion - Millis{1});
  store({1, 2});
  after(std::chrono::hours(1));
  CHECK(sent.empty());
  CHECK(given_up.empty());
  CHECK_FALSE(listening);
  CHECK_FALSE(lifeline.next_wake());
}

TEST_CASE_METHOD(Fixture, "Lifeline: what is refused is sent once, however often it is delivered again") {
  begin({1});
  lifeline.refused(now);
  CHECK(sent == Numbers{100});
  CHECK(listening == true);
  for (int i = 0; i < 3; ++i) {
    after(std::chrono::seconds(5));
    CHECK(begin({1}) == Numbers{100});
    lifeline.refused(now);
  }
  CHECK(sent == Numbers{100});
  begin({1});
  store({1});
  CHECK_FALSE(lifeline.recall(1, true, now));
  after(Lifeline::kListening);
  CHECK(listening == false);
}

TEST_CASE_METHOD(Fixture, "Lifeline: a commit that takes long is not waited for") {
  begin({1});
  REQUIRE(lifeline.next_wake() == now + Lifeline::kSuspicion);
  after(Lifeline::kSuspicion);
  CHECK(listening == true);
  CHECK(sent.empty());
  REQUIRE(lifeline.next_wake() == now + Lifeline::kPatience - Lifeline::kSuspicion);
  after(Lifeline::kPatience - Lifeline::kSuspicion);
  CHECK(sent == Numbers{100});
  CHECK(listening == true);
  after(std::chrono::minutes(5));  // it hangs
  CHECK(listening == true);
  store({1});
  CHECK(sent == Numbers{100});
  CHECK(given_up.empty());
}

TEST_CASE_METHOD(Fixture,
                 "Lifeline: what is heard beside the source goes at once, and what is cried again, too") {
  begin({1});
  lifeline.refused(now);
  CHECK_FALSE(lifeline.overheard(2, now));
  lifeline.overheard(2, message(), now);
  CHECK(sent == Numbers{100, 101});
  CHECK(begin({1, 2}) == Numbers{100, 101});
  // Who listens hears a publication once.
  CHECK_FALSE(lifeline.overheard(2, now));
  lifeline.overheard(2, message(), now);
  CHECK(sent == Numbers{100, 101, 102});
  store({1, 2});
  CHECK(sent.size() == 3);
}

TEST_CASE_METHOD(Fixture,
                 "Lifeline: what is not delivered again is forgotten, also while the trouble goes on") {
  begin({1, 2});
  lifeline.refused(now);
  REQUIRE(sent == Numbers{100, 101});
  for (Millis span{0}; span <= Lifeline::kRemembered; span += std::chrono::minutes(1)) {
    after(std::chrono::minutes(1));
    begin({1});
    lifeline.refused(now);
  }
  CHECK(given_up == Numbers{101});
  CHECK_FALSE(lifeline.recall(2, true, now));
  CHECK(begin({2}) == Numbers{102});
}

TEST_CASE_METHOD(Fixture, "Lifeline: the same words at QoS 0 are a new emergency, but for those just heard") {
  auto one = message();
  lifeline.admit(1, false, one, now);
  lifeline.begin(now);
  lifeline.refused(now);
  REQUIRE(sent == Numbers{100});
  after(Lifeline::kEcho);
  one = message();
  lifeline.admit(1, false, one, now);
  CHECK(one.number == 100);
  lifeline.begin(now);
  lifeline.refused(now);
  after(Lifeline::kEcho + Millis{1});
  one = message();
  lifeline.admit(1, false, one, now);
  CHECK(one.number == 101);
  CHECK(given_up == Numbers{100});
  lifeline.refused(now);
  CHECK(sent == Numbers{100, 101});
}

TEST_CASE_METHOD(Fixture, "Lifeline: one packet's copies take only so much room") {
  for (std::uint64_t fingerprint = 1; fingerprint <= 2 * Lifeline::kMostCopies; ++fingerprint)
    lifeline.overheard(fingerprint, copy_of(7), now);
  CHECK(sent == Numbers{100});
  CHECK(lifeline.recall(Lifeline::kMostCopies, true, now));
  CHECK_FALSE(lifeline.recall(Lifeline::kMostCopies + 1, true, now));
}

TEST_CASE_METHOD(Fixture,
                 "Lifeline: overheard while the source has it with the store, it does not wait for that") {
  begin({1});
  CHECK(lifeline.overheard(1, now));
  CHECK(sent == Numbers{100});
  lifeline.refused(now);
  CHECK(sent == Numbers{100});
}

TEST_CASE_METHOD(Fixture, "Lifeline: the same words twice in a group are two messages") {
  CHECK(begin({1, 1}) == Numbers{100, 0});
  lifeline.refused(now);
  CHECK(sent == Numbers{100});
  CHECK(begin({1, 1}) == Numbers{100, 0});
  store({1, 1});
  CHECK(sent.size() == 1);
}

TEST_CASE_METHOD(Fixture, "Lifeline: only emergencies that go over the link and are not ruled out") {
  auto text = message(1), here = message(), ruled_out = message();
  here.peer = queue::kEdge;
  ruled_out.drop = queue::DropReason::kPolicy;
  std::uint64_t fingerprint = 0;
  for (auto* one : {&text, &here, &ruled_out}) {
    lifeline.admit(++fingerprint, true, *one, now);
    CHECK(one->number == 0);
    lifeline.overheard(fingerprint, *one, now);
  }
  lifeline.begin(now);
  lifeline.refused(now);
  CHECK(sent.empty());
}

TEST_CASE_METHOD(Fixture, "Lifeline: the number of what turns out to be a copy is given up") {
  begin({1});
  store({1}, false);
  CHECK(given_up == Numbers{100});
  begin({2});
  after(Lifeline::kPatience);
  store({2}, false);
  CHECK(given_up == Numbers{100, 101});
}

TEST_CASE_METHOD(Fixture,
                 "Lifeline: of a packet's copies one is sent, and whichever is stored has its number") {
  CHECK(admit(1, copy_of(7)) == 100);
  CHECK(admit(2, copy_of(7)) == 100);
  lifeline.begin(now);
  lifeline.refused(now);
  lifeline.overheard(3, copy_of(7), now);
  CHECK(sent == Numbers{100});
  // They come again, in groups as it happens.
  CHECK(admit(2, *lifeline.recall(2, true, now)) == 100);
  lifeline.stored(2, true, now);
  CHECK(admit(1, *lifeline.recall(1, true, now)) == 100);
  lifeline.stored(1, false, now);
  CHECK(admit(3, *lifeline.recall(3, true, now)) == 100);
  lifeline.stored(3, false, now);
  lifeline.committed();
  CHECK(sent == Numbers{100});
  CHECK(given_up.empty());
}

TEST_CASE_METHOD(Fixture, "Lifeline: copies of what was stored before are given up with the last of them") {
  CHECK(admit(1, copy_of(7)) == 100);
  CHECK(admit(2, copy_of(7)) == 100);
  lifeline.stored(1, false, now);
  CHECK(given_up.empty());
  lifeline.stored(2, false, now);
  CHECK(given_up == Numbers{100});
}

TEST_CASE_METHOD(Fixture, "Lifeline: a copy of a packet that is on disk does not leave, wherever it is heard") {
  CHECK(admit(1, copy_of(7)) == 100);
  lifeline.begin(now);
  store({1});
  CHECK(admit(2, copy_of(7)) == 0);
  lifeline.begin(now);
  lifeline.refused(now);
  CHECK_FALSE(lifeline.overheard(3, now));
  lifeline.overheard(3, copy_of(7), now);
  CHECK(sent.empty());
}

TEST_CASE_METHOD(Fixture, "Lifeline: a copy that was not sent does not leave once another is on disk") {
  CHECK(admit(1, copy_of(7)) == 100);
  CHECK(admit(2, copy_of(7)) == 100);
  lifeline.stored(1, true, now);
  lifeline.refused(now);
  CHECK(sent.empty());
}

TEST_CASE_METHOD(Fixture, "Lifeline: what the source has stored is not sent when it is heard beside it") {
  begin({1});
  lifeline.refused(now);
  begin({2});
  store({2});
  CHECK(lifeline.overheard(2, now));
  // The same words once more are another emergency.
  CHECK_FALSE(lifeline.overheard(2, now));
  begin({3});
  store({3});
  after(Lifeline::kEcho + Millis{1});
  CHECK_FALSE(lifeline.overheard(3, now));
  CHECK(sent == Numbers{100});
}

TEST_CASE_METHOD(Fixture, "Lifeline: what was heard before it was stored is news when it is heard again") {
  begin({1});
  lifeline.refused(now);
  lifeline.overheard(2, message(), now);
  begin({2});
  store({2});
  CHECK_FALSE(lifeline.overheard(2, now));
}

TEST_CASE_METHOD(Fixture, "Lifeline: long after the trouble the same words are news") {
  begin({1});
  lifeline.refused(now);
  after(Lifeline::kListening);
  CHECK(listening == false);
  CHECK(lifeline.recall(1, true, now));
  after(Lifeline::kRemembered);
  CHECK_FALSE(lifeline.recall(1, true, now));
  CHECK_FALSE(lifeline.next_wake());
  CHECK(given_up == Numbers{100});
  CHECK(begin({1}) == Numbers{101});
}

TEST_CASE_METHOD(Fixture, "Lifeline: without a number left an emergency waits for the disk") {
  numbers = 1;
  CHECK(begin({1, 2}) == Numbers{100, 0});
  lifeline.refused(now);
  lifeline.overheard(3, message(), now);
  CHECK(sent == Numbers{100});
}

}  // namespace tulpar
