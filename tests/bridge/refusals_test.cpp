// SPDX-License-Identifier: Apache-2.0
#include "bridge/refusals.hpp"

#include "tests/catch.hpp"

namespace tulpar::bridge {
namespace {

constexpr BootTime kNow{std::chrono::hours(1)};
using queue::ClassId;
using queue::Entry;
using std::chrono::seconds;

Entry entry(queue::MessageId id, ClassId cls = 2, std::uint32_t bytes = 1) {
  return {.id = id, .accepted = kNow, .bytes = bytes, .cls = cls};
}
const Refusals::Open kAll = [](ClassId) { return true; };

// The id of the one that is due, 0: none.
queue::MessageId due(Refusals& refusals, BootTime now, bool emergency = false,
                     const Refusals::Open& open = kAll) {
  const auto taken = refusals.take_due(now, emergency, open);
  if (taken) refusals.add(*taken, now);
  return taken ? taken->id : 0;
}

TEST_CASE("Refusals: asked again in turn, ever more rarely, once a minute at last", "[refusals]") {
  Refusals refusals;
  CHECK_FALSE(refusals.next_wake());
  for (int id = 1; id <= 3; ++id) refusals.add(entry(id), kNow);
  CHECK(due(refusals, kNow) == 0);
  CHECK(refusals.next_wake() == kNow + seconds(1));
  std::vector<queue::MessageId> asked;
  std::vector<Millis> waited;
  BootTime now = kNow;
  for (int i = 0; i < 8; ++i) {
    const auto wake = *refusals.next_wake();
    waited.push_back(wake - now);
    CHECK(due(refusals, wake - Millis{1}) == 0);
    asked.push_back(due(refusals, now = wake));
  }
  CHECK(asked == std::vector<queue::MessageId>{1, 2, 3, 1, 2, 3, 1, 2});
  CHECK(waited == std::vector<Millis>{seconds(1), seconds(2), seconds(4), seconds(8), seconds(16), seconds(32),
                                      seconds(60), seconds(60)});
}

TEST_CASE("Refusals: emergencies have a turn of their own", "[refusals]") {
  Refusals refusals;
  for (int id = 1; id <= 3; ++id) refusals.add(entry(id), kNow);
  refusals.add(entry(9, 0), kNow);
  CHECK(refusals.emergencies() == 1);
  const BootTime now = kNow + seconds(1);
  CHECK(due(refusals, now, true) == 9);
  CHECK(due(refusals, now) == 1);
}

TEST_CASE("Refusals: one that passes frees its kind; what was never refused frees none", "[refusals]") {
  Refusals refusals;
  for (int id = 1; id <= 3; ++id) refusals.add(entry(id), kNow);
  refusals.add(entry(9, 0), kNow);
  CHECK(refusals.passed(entry(77)).empty());
  const auto taken = refusals.take_due(kNow + seconds(1), false, kAll);
  REQUIRE(taken);
  CHECK(refusals.passed(*taken).size() == 2);
  CHECK(refusals.size() == 1);
  CHECK(refusals.passed(*taken).empty());
  // It begins patiently anew.
  refusals.add(entry(4), kNow);
  CHECK(due(refusals, kNow + seconds(1)) == 4);
}

TEST_CASE("Refusals: a new connection is asked at once", "[refusals]") {
  Refusals refusals;
  refusals.add(entry(1), kNow);
  for (int i = 0; i < 9; ++i) due(refusals, *refusals.next_wake());
  refusals.reconnected(kNow);
  CHECK(due(refusals, kNow) == 1);
  CHECK(refusals.next_wake() == kNow + seconds(1));
}

TEST_CASE("Refusals: a closed class is passed over", "[refusals]") {
  Refusals refusals;
  refusals.add(entry(1, 1), kNow);
  refusals.add(entry(2, 2), kNow);
  const Refusals::Open second = [](ClassId cls) { return cls == 2; };
  CHECK(due(refusals, kNow + seconds(1), false, second) == 2);
  CHECK(due(refusals, kNow + seconds(10), false, second) == 2);
  CHECK(due(refusals, kNow + seconds(60), false, [](ClassId) { return false; }) == 0);
}

TEST_CASE("Refusals: taken out by id, by age and by urgency, with the bytes in step", "[refusals]") {
  Refusals refusals;
  for (const ClassId cls : {0, 1, 2, 4}) refusals.add(entry(cls + 1, cls, 10), kNow);
  refusals.add(entry(7, 4, 5), kNow);
  refusals.add(entry(7, 4, 5), kNow);  // a second time: nothing
  CHECK(refusals.size() == 5);
  CHECK(refusals.bytes(4) == 15);
  CHECK(refusals.oldest(4) == kNow);
  CHECK_FALSE(refusals.oldest(3));
  CHECK(refusals.least_urgent() == ClassId{4});
  CHECK(refusals.take_least_urgent()->id == 5);
  CHECK(refusals.take_least_urgent()->id == 7);
  CHECK(refusals.bytes(4) == 0);
  CHECK(refusals.remove(2)->cls == 1);
  CHECK_FALSE(refusals.remove(2));
  CHECK(refusals.take_least_urgent()->id == 3);
  CHECK_FALSE(refusals.take_least_urgent());  // an emergency stays
  CHECK(refusals.size() == 1);

  const auto classes = config::default_classes();
  refusals.add(entry(8, 2), kNow);
  CHECK(refusals.take_expired(kNow + classes[2].ttl - Millis{1}, classes).empty());
  CHECK(refusals.take_expired(kNow + std::chrono::hours(24 * 365), classes).size() == 1);
  CHECK(refusals.emergencies() == 1);
}

}  // namespace
}  // namespace tulpar::bridge
