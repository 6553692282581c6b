// SPDX-License-Identifier: Apache-2.0
#include "queue/scheduler.hpp"

#include <algorithm>

#include "tests/catch.hpp"
#include "tests/queue/entries.hpp"

using namespace tulpar;
using namespace tulpar::queue;
using namespace std::chrono_literals;

namespace {

constexpr ClassId kMessage = 1, kNormal = 2, kTelemetry = 3, kBulk = 4;
constexpr PickLimits kAll{.max_bytes = 1'000'000, .company_bytes = 1'000'000, .max_messages = 1000};
constexpr PickLimits kOne{};

Entry entry(MessageId id, ClassId cls, std::int64_t accepted = 0, NodeId node = 1, std::uint32_t bytes = 100) {
  return {.id = id, .accepted = at(accepted), .bytes = bytes, .node = node, .cls = cls};
}

Entry of_kind(MessageId id, ClassId cls, std::uint32_t kind, NodeId node = 1) {
  Entry result = entry(id, cls, id, node);
  result.kind = kind;
  return result;
}

ClassSet set_of(std::initializer_list<ClassId> classes) {
  ClassSet set;
  for (const ClassId cls : classes) set.set(cls);
  return set;
}

using Ids = std::vector<MessageId>;

}  // namespace

TEST_CASE("scheduler: a class waits for company as long as its hold says") {
  Scheduler scheduler(config::default_classes());
  CHECK_FALSE(scheduler.next_wake(at(0)));
  scheduler.add(entry(1, kNormal, 500));
  CHECK_FALSE(scheduler.ready(at(10'499)));
  CHECK(scheduler.pick(at(10'499), kAll).empty());
  CHECK(*scheduler.next_wake(at(500)) == at(10'500));
  CHECK(*scheduler.ready(at(10'500)) == kNormal);
  CHECK(ids(scheduler.pick(at(10'500), kAll)) == Ids{1});
}

TEST_CASE("scheduler: emergency waits for nothing and travels alone") {
  auto classes = config::default_classes();
  classes[kEmergency].hold = 1h;
  Scheduler scheduler(classes);
  scheduler.add(entry(1, kMessage, -10'000));
  scheduler.add(entry(2, kEmergency));
  scheduler.add(entry(3, kEmergency, 0, 2));
  CHECK_FALSE(scheduler.pause(kEmergency, true));
  CHECK_FALSE(scheduler.close(kEmergency, true));
  CHECK_FALSE(scheduler.state(kEmergency).paused);
  CHECK_FALSE(scheduler.state(kEmergency).closed);
  CHECK(*scheduler.ready(at(0)) == kEmergency);
  CHECK(ids(scheduler.pick(at(0), kAll)) == Ids{2, 3});
  CHECK(ids(scheduler.pick(at(0), kAll)) == Ids{1});
}

TEST_CASE("scheduler: what waits for company rides along with whoever goes") {
  Scheduler scheduler(config::default_classes());
  scheduler.add(entry(1, kBulk));
  scheduler.add(entry(2, kTelemetry));
  scheduler.add(entry(3, kMessage, -1000));
  scheduler.add(entry(4, kNormal));

  SECTION("the most urgent company first") {
    CHECK(ids(scheduler.pick(at(0), kAll)) == Ids{3, 4, 2, 1});
    CHECK(scheduler.size() == 0);
  }
  SECTION("up to its own bound") {
    CHECK(ids(scheduler.pick(at(0), {.max_bytes = 1000, .company_bytes = 250, .max_messages = 10})) ==
          Ids{3, 4, 2});
  }
  SECTION("and the batch's") {
    CHECK(ids(scheduler.pick(at(0), {.max_bytes = 250, .company_bytes = 1000, .max_messages = 10})) ==
          Ids{3, 4});
    CHECK_FALSE(scheduler.ready(at(0)));
  }
  SECTION("but nothing that is paused or closed") {
    CHECK(scheduler.pause(kNormal, true));
    CHECK(scheduler.close(kBulk, true));
    CHECK(ids(scheduler.pick(at(0), kAll)) == Ids{3, 2});
    CHECK(scheduler.state(kNormal).paused);
    CHECK(scheduler.state(kBulk).closed);
  }
}

TEST_CASE("scheduler: limits") {
  Scheduler scheduler(plain_classes(3));
  scheduler.add(entry(1, 1, 0, 1, 5000));
  scheduler.add(entry(2, 1, 0, 1, 100));
  scheduler.add(entry(3, 1, 0, 1, 100));
  scheduler.add(entry(4, 1, 0, 1, 5000));
  scheduler.add(entry(5, 2, 0, 1, 50));

  CHECK(ids(scheduler.pick(at(0), {.max_bytes = 300, .company_bytes = 300, .max_messages = 9})) == Ids{1});
  SECTION("a large one that does not fit ends its class's part, not the company's") {
    CHECK(ids(scheduler.pick(at(0), {.max_bytes = 300, .company_bytes = 300, .max_messages = 9})) ==
          Ids{2, 3, 5});
    CHECK(ids(scheduler.pick(at(0), kOne)) == Ids{4});
  }
  SECTION("by number") {
    CHECK(ids(scheduler.pick(at(0), {.max_bytes = 300, .company_bytes = 300, .max_messages = 1})) == Ids{2});
  }
}

TEST_CASE("scheduler: a paused or closed class is held until it is let go") {
  Scheduler scheduler(plain_classes(3));
  scheduler.add(entry(1, 1));
  scheduler.add(entry(2, 2));
  CHECK(scheduler.pause(1, true));
  CHECK(*scheduler.ready(at(0)) == 2);
  CHECK(scheduler.close(2, true));
  CHECK_FALSE(scheduler.ready(at(0)));
  CHECK_FALSE(scheduler.next_wake(at(0)));
  CHECK(scheduler.pause(2, false));  // pause and close are two reasons
  CHECK_FALSE(scheduler.ready(at(0)));
  CHECK(scheduler.close(2, false));
  CHECK(*scheduler.ready(at(0)) == 2);
  CHECK(scheduler.pause(1, false));
  CHECK(*scheduler.ready(at(0)) == 1);
}

TEST_CASE("scheduler: what was given back goes before the younger ones of its node, at once") {
  Scheduler scheduler(config::default_classes());
  for (MessageId id = 1; id <= 4; ++id) scheduler.add(entry(id, kNormal, 0));
  auto picked = scheduler.pick(at(10'000), {.max_bytes = 200, .company_bytes = 0, .max_messages = 9});
  REQUIRE(ids(picked) == Ids{1, 2});
  CHECK(ids(scheduler.pick(at(10'000), kAll)) == Ids{3, 4});
  scheduler.add(entry(5, kNormal, 10'000));
  CHECK_FALSE(scheduler.ready(at(10'000)));
  scheduler.give_back(picked[1]);
  scheduler.give_back(picked[0]);
  CHECK(*scheduler.ready(at(10'000)) == kNormal);
  CHECK(ids(scheduler.pick(at(10'000), kAll)) == Ids{1, 2, 5});

  scheduler.add(entry(6, kNormal, 10'000));  // the class has run empty since: company is waited for again
  CHECK_FALSE(scheduler.ready(at(10'000)));
}

TEST_CASE("scheduler: what has expired is not picked, and counted until it is taken") {
  auto classes = plain_classes(2);
  classes[1].ttl = 1s;
  Scheduler scheduler(classes);
  scheduler.add(entry(1, 1, 0));
  scheduler.add(entry(2, 1, 500));
  CHECK(*scheduler.next_wake(at(0)) == at(1000));
  CHECK(scheduler.take_expired(at(999)).empty());
  CHECK(ids(scheduler.pick(at(1000), kOne)) == Ids{2});
  CHECK_FALSE(scheduler.ready(at(1000)));
  CHECK(scheduler.state(1).queued == 1);
  CHECK(scheduler.state(1).queued_bytes == 100);
  CHECK(*scheduler.state(1).oldest == at(0));
  CHECK(*scheduler.next_wake(at(1000)) == at(1000));
  CHECK(ids(scheduler.take_expired(at(1000))) == Ids{1});
  CHECK(scheduler.size() == 0);
  CHECK_FALSE(scheduler.next_wake(at(1000)));
}

TEST_CASE("scheduler: expired ones are taken in portions, from every class with a TTL") {
  auto classes = plain_classes(3);
  classes[1].ttl = classes[2].ttl = 1s;
  Scheduler scheduler(classes);
  for (MessageId id = 1; id <= 6; ++id) scheduler.add(entry(id, static_cast<ClassId>(id % 3)));
  auto taken = scheduler.take_expired(at(5000), 3);
  CHECK(taken.size() == 3);
  const auto rest = scheduler.take_expired(at(5000), 3);
  taken.insert(taken.end(), rest.begin(), rest.end());
  auto all = ids(taken);
  std::sort(all.begin(), all.end());
  CHECK(all == Ids{1, 2, 4, 5});
  CHECK(scheduler.state(kEmergency).queued == 2);
}

TEST_CASE("scheduler: a new policy applies to what is queued") {
  auto classes = plain_classes(2);
  classes[1].ttl = 1s;
  Scheduler scheduler(classes);
  scheduler.add(of_kind(1, 1, 7));
  scheduler.add(of_kind(2, 1, 7));
  REQUIRE_FALSE(scheduler.ready(at(5000)));  // both have expired

  SECTION("a longer TTL revives") {
    classes[1].ttl = 1h;
    scheduler.set_policy(classes);
    CHECK(ids(scheduler.pick(at(5000), kAll)) == Ids{1, 2});
  }
  SECTION("latest_only conflates") {
    classes[1] = {.name = "c1", .latest_only = true};
    scheduler.set_policy(classes);
    CHECK(ids(scheduler.take_conflated()) == Ids{1});
    CHECK(ids(scheduler.pick(at(5000), kAll)) == Ids{2});
  }
  SECTION("a longer hold holds") {
    classes[1] = {.name = "c1", .hold = 1h};
    scheduler.set_policy(classes);
    CHECK_FALSE(scheduler.ready(at(5000)));
  }
  SECTION("another number of classes is refused") {
    classes.pop_back();
    CHECK_THROWS_AS(scheduler.set_policy(classes), std::invalid_argument);
  }
}

TEST_CASE("scheduler: only the latest of a node and kind is kept, in classes that say so") {
  Scheduler scheduler(config::default_classes());
  scheduler.add(of_kind(1, kTelemetry, 3));
  scheduler.add(of_kind(2, kTelemetry, 3, 2));
  scheduler.add(of_kind(3, kTelemetry, 4));
  scheduler.add(of_kind(4, kTelemetry, 0));
  scheduler.add(of_kind(5, kTelemetry, 0));
  scheduler.add(of_kind(6, kTelemetry, 3));
  scheduler.add(of_kind(7, kTelemetry, 3));
  scheduler.add(of_kind(8, kMessage, 3));
  scheduler.add(of_kind(9, kMessage, 3));
  auto gone = ids(scheduler.take_conflated());
  std::sort(gone.begin(), gone.end());
  CHECK(gone == Ids{1, 6});
  CHECK(scheduler.take_conflated().empty());
  CHECK(scheduler.size() == 7);
}

TEST_CASE("scheduler: emergency is never conflated, even if a configuration says so") {
  auto classes = config::default_classes();
  classes[kEmergency].latest_only = true;
  Scheduler scheduler(classes);
  scheduler.add(of_kind(1, kEmergency, 3));
  scheduler.add(of_kind(2, kEmergency, 3));
  scheduler.set_policy(classes);
  CHECK(scheduler.take_conflated().empty());
  CHECK(ids(scheduler.pick(at(0), kAll)) == Ids{1, 2});
}

TEST_CASE("scheduler: conflation and batches under way") {
  auto classes = plain_classes(2);
  classes[1].latest_only = true;
  Scheduler scheduler(classes);
  scheduler.add(of_kind(1, 1, 3));
  const auto first = scheduler.pick(at(10), kAll);

  scheduler.add(of_kind(2, 1, 3));
  SECTION("what is picked stays") { CHECK(scheduler.take_conflated().empty()); }
  SECTION("what is given back after a later one came, goes") {
    scheduler.give_back(first[0]);
    CHECK(ids(scheduler.take_conflated()) == Ids{1});
  }
  SECTION("what is given back after a later one left, goes too") {
    scheduler.pick(at(10), kAll);
    scheduler.give_back(first[0]);
    CHECK(ids(scheduler.take_conflated()) == Ids{1});
  }
  SECTION("what is given back after the later one was dropped, stays") {
    scheduler.remove(2);
    scheduler.give_back(first[0]);
    CHECK(scheduler.take_conflated().empty());
  }
  SECTION("a replaced one is the latest again when its successor is dropped before anyone asked") {
    scheduler.add(of_kind(3, 1, 3));
    scheduler.add(of_kind(4, 1, 3));
    scheduler.remove(4);
    CHECK(ids(scheduler.take_conflated()) == Ids{2});
    CHECK(ids(scheduler.pick(at(10), kAll)) == Ids{3});
  }
}

TEST_CASE("scheduler: what was picked is not remembered without bound") {
  auto classes = plain_classes(2);
  classes[1].latest_only = true;
  Scheduler scheduler(classes);
  scheduler.add(of_kind(1, 1, 3));
  const auto first = scheduler.pick(at(1), kAll);
  REQUIRE(first.size() == 1);
  for (MessageId id = 2; id < 3000; ++id) {
    scheduler.add(of_kind(id, 1, 3, id == 2 ? 1 : static_cast<NodeId>(id)));
    scheduler.pick(at(id), kAll);
  }
  scheduler.give_back(first[0]);
  CHECK(scheduler.take_conflated().empty());
}

TEST_CASE("scheduler: eviction takes the least urgent class, its oldest first, never emergency") {
  Scheduler scheduler(plain_classes(3));
  scheduler.add(entry(1, kEmergency));
  scheduler.add(entry(2, 1, 5));
  scheduler.add(entry(3, 2, 9, 1));
  scheduler.add(entry(4, 2, 3, 2));
  scheduler.add(entry(5, 2, 6, 1));
  CHECK(scheduler.take_for_eviction(0).empty());
  CHECK(ids(scheduler.take_for_eviction(1)) == Ids{4});
  CHECK(ids(scheduler.take_for_eviction(101)) == Ids{5, 3});
  CHECK(ids(scheduler.take_for_eviction(1'000'000)) == Ids{2});
  CHECK(scheduler.state(kEmergency).queued == 1);
}

TEST_CASE("scheduler: removes and reclassifies what is queued, not what is picked or unknown") {
  auto classes = plain_classes(3);
  classes[2].ttl = 1s;
  Scheduler scheduler(classes);
  scheduler.add(entry(1, 1, 0, 1));
  scheduler.add(entry(2, 1, 0, 2));
  scheduler.add(entry(3, 2, 0));
  REQUIRE(ids(scheduler.pick(at(0), kOne)) == Ids{1});

  CHECK_FALSE(scheduler.remove(1));
  CHECK_FALSE(scheduler.reclassify(1, 2));
  CHECK_FALSE(scheduler.remove(99));
  CHECK_FALSE(scheduler.ready(at(5000)) == 2);
  CHECK(scheduler.reclassify(3, 1));  // has expired there, but has no TTL here
  CHECK(scheduler.state(1).queued == 2);
  CHECK(scheduler.reclassify(2, kEmergency));
  CHECK(*scheduler.ready(at(5000)) == kEmergency);
  const auto emergency = scheduler.pick(at(5000), kAll);
  CHECK(ids(emergency) == Ids{2});
  CHECK(emergency[0].cls == kEmergency);
  CHECK(scheduler.remove(3)->id == 3);
  CHECK(scheduler.size() == 0);
  CHECK_THROWS_AS(scheduler.reclassify(3, 9), std::out_of_range);
}

TEST_CASE("scheduler: removes what has expired and was not taken yet") {
  auto classes = plain_classes(2);
  classes[1].ttl = 1s;
  Scheduler scheduler(classes);
  scheduler.add(entry(1, 1));
  REQUIRE_FALSE(scheduler.ready(at(5000)));
  CHECK(scheduler.remove(1)->id == 1);
  CHECK(scheduler.take_expired(at(5000)).empty());
}

TEST_CASE("scheduler: an unfinished transfer goes on unless someone is ahead of it") {
  Scheduler scheduler(plain_classes(4));
  CHECK(*scheduler.ready(at(0), set_of({3})) == 3);
  scheduler.add(entry(1, 2));
  CHECK(*scheduler.ready(at(0), set_of({3})) == 2);
  CHECK(*scheduler.ready(at(0), set_of({1})) == 1);
  scheduler.add(entry(2, kEmergency));
  CHECK(*scheduler.ready(at(0), set_of({1, 3})) == kEmergency);
  REQUIRE(scheduler.pick(at(0), kAll).size() == 1);
  CHECK(*scheduler.ready(at(0), set_of({kEmergency, 1})) == kEmergency);
}

TEST_CASE("scheduler: an unfinished transfer stops with its class, an emergency never") {
  Scheduler scheduler(plain_classes(3));
  scheduler.close(1, true);
  scheduler.pause(2, true);
  CHECK_FALSE(scheduler.ready(at(0), set_of({1, 2})));
  CHECK(*scheduler.ready(at(0), set_of({0, 1, 2})) == kEmergency);
}

TEST_CASE("scheduler: an unfinished transfer gets its share though nothing of its class is queued") {
  Scheduler scheduler(plain_classes(3));
  for (MessageId id = 1; id <= 10'000; ++id) scheduler.add(entry(id, 1));
  const auto unfinished = set_of({1, 2});
  std::uint64_t other = 0, own = 0;
  for (int frame = 0; frame < 10'000; ++frame) {
    const ClassId cls = *scheduler.ready(at(0), unfinished);
    scheduler.sent(cls, 240, unfinished);
    (cls == 2 ? own : other) += 240;
  }
  CHECK(static_cast<double>(own) / static_cast<double>(own + other) == ::Approx(0.5).margin(0.01));
}

TEST_CASE("scheduler: without classes there is nothing to schedule") {
  CHECK_THROWS_AS(Scheduler({}), std::invalid_argument);
}
