// SPDX-License-Identifier: Apache-2.0
//
// The scheduler against a naive model (a vector that is scanned) under random operations.
// A failure prints the seed; the run is the same for the same seed.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "queue/scheduler.hpp"
#include "tests/catch.hpp"
#include "tests/queue/entries.hpp"

using namespace tulpar;
using namespace tulpar::queue;

namespace {

constexpr std::size_t kClasses = 5;

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  // 0..below-1
  std::int64_t operator()(std::int64_t below) {
    return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(below));
  }

 private:
  std::mt19937_64 engine_;  // the same sequence on every machine
};

struct Model {
  std::vector<config::MessageClass> classes;
  std::vector<Entry> queued;
  std::vector<bool> paused = std::vector<bool>(kClasses), closed = std::vector<bool>(kClasses);
  std::vector<bool> due = std::vector<bool>(kClasses);
  std::map<std::tuple<ClassId, NodeId, std::uint32_t>, MessageId> latest;

  bool open(ClassId cls) const { return cls == kEmergency || (!paused[cls] && !closed[cls]); }
  bool expired(const Entry& e, BootTime now) const {
    const auto ttl = classes[e.cls].ttl;
    return ttl > Millis{0} && e.accepted + ttl <= now;
  }
  std::vector<Entry> live(ClassId cls, BootTime now) const {
    std::vector<Entry> result;
    for (const Entry& e : queued)
      if (e.cls == cls && !expired(e, now)) result.push_back(e);
    return result;
  }
  bool ready(ClassId cls, BootTime now) const {
    const auto entries = live(cls, now);
    if (entries.empty() || !open(cls)) return false;
    return cls == kEmergency || due[cls] || std::any_of(entries.begin(), entries.end(), [&](const Entry& e) {
             return e.accepted + classes[cls].hold <= now;
           });
  }
  bool conflates(const Entry& e) const {
    return e.cls != kEmergency && e.kind != 0 && classes[e.cls].latest_only;
  }
  MessageId* latest_of(const Entry& e) {
    const auto known = latest.find({e.cls, e.node, e.kind});
    return known == latest.end() ? nullptr : &known->second;
  }
  void add(const Entry& e) {
    queued.push_back(e);
    if (!conflates(e)) return;
    auto& id = latest[{e.cls, e.node, e.kind}];
    id = std::max(id, e.id);
  }
  // Takes it out; `sent`: it was picked.
  void take(const Entry& e, bool sent) {
    const auto place = std::find_if(queued.begin(), queued.end(), [&](const Entry& q) { return q.id == e.id; });
    REQUIRE(place != queued.end());
    REQUIRE(place->cls == e.cls);
    if (!sent) forget(e);
    queued.erase(place);
  }
  // What the scheduler notices whenever it looks at the time: classes that ran empty, latest ones that expired.
  void note(BootTime now) {
    for (ClassId cls = 0; cls < kClasses; ++cls)
      if (live(cls, now).empty()) due[cls] = false;
    for (const Entry& e : queued)
      if (expired(e, now)) forget(e);
  }
  void forget(const Entry& e) {
    const auto known = latest.find({e.cls, e.node, e.kind});
    if (known != latest.end() && known->second == e.id) latest.erase(known);
  }
  // Where the latest has gone for good, the latest of those that are left takes its place.
  void restore_latest(BootTime now) {
    std::map<std::tuple<ClassId, NodeId, std::uint32_t>, MessageId> left;
    for (const Entry& e : queued)
      if (conflates(e) && !expired(e, now)) {
        auto& id = left[{e.cls, e.node, e.kind}];
        id = std::max(id, e.id);
      }
    latest.insert(left.begin(), left.end());  // where there is none
  }
};

class Run {
 public:
  explicit Run(unsigned seed) : random_(seed), classes_(random_classes()), scheduler_(classes_) {
    model_.classes = classes_;
  }

  void step() {
    now_ += Millis{random_(40)};
    sweep();
    scheduler_.ready(now_);
    model_.note(now_);
    switch (random_(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return add();
      case 4:
      case 5:
      case 6:
        return pick();
      case 7:
        return give_back();
      case 8:
        return settle();
      case 9:
        return toggle();
      case 10:
        return random_(2) == 0 ? remove() : reclassify();
      case 11:
        return random_(4) == 0 ? evict() : conflate();
    }
  }

  // Lets everything go and checks that each message came out exactly once.
  void drain() {
    for (ClassId cls = 0; cls < kClasses; ++cls) {
      set(cls, true, false);
      set(cls, false, false);
    }
    now_ += Millis{1'000'000};
    while (scheduler_.size() > 0) {
      sweep();
      pick();
      settle();
      if (!flying_.empty() && random_(3) == 0) give_back();
    }
    while (!flying_.empty()) settle();
    CHECK(finished_.size() == static_cast<std::size_t>(next_ - 1));
    CHECK(model_.queued.empty());
  }

  void check_states() {
    std::size_t sum = 0;
    for (ClassId cls = 0; cls < kClasses; ++cls) {
      std::size_t count = 0;
      std::uint64_t bytes = 0;
      std::optional<BootTime> oldest;
      for (const Entry& e : model_.queued) {
        if (e.cls != cls) continue;
        ++count;
        bytes += e.bytes;
        oldest = std::min(oldest.value_or(BootTime::max()), e.accepted);
      }
      const ClassState state = scheduler_.state(cls);
      REQUIRE(state.queued == count);
      REQUIRE(state.queued_bytes == bytes);
      REQUIRE(state.oldest == oldest);
      REQUIRE(state.paused == model_.paused[cls]);
      REQUIRE(state.closed == model_.closed[cls]);
      sum += count;
    }
    REQUIRE(scheduler_.size() == sum);
  }

 private:
  std::vector<config::MessageClass> random_classes() {
    auto classes = plain_classes(kClasses);
    for (auto& cls : classes) {
      cls.weight = static_cast<std::uint32_t>(1 + random_(100));
      cls.hold = Millis{random_(2) * random_(500)};
      cls.ttl = Millis{random_(2) * (1000 + random_(5000))};
      cls.latest_only = random_(2) == 0;
    }
    return classes;
  }

  void add() {
    Entry e{.id = next_++, .accepted = now_, .cls = static_cast<ClassId>(random_(kClasses))};
    e.bytes = static_cast<std::uint32_t>(random_(8) == 0 ? random_(3000) : random_(200));
    e.kind = static_cast<std::uint32_t>(random_(4));
    e.node = static_cast<NodeId>(random_(6));
    if (random_(3) == 0) e.accepted -= Millis{random_(2000)};  // has waited at its peer
    scheduler_.add(e);
    model_.add(e);
  }

  void pick() {
    const PickLimits limits{.max_bytes = static_cast<std::size_t>(1 + random_(1500)),
                            .company_bytes = static_cast<std::size_t>(random_(1500)),
                            .max_messages = static_cast<std::size_t>(1 + random_(12))};
    const auto ready = scheduler_.ready(now_);
    bool any = false;
    for (ClassId cls = 0; cls < kClasses; ++cls) any = any || model_.ready(cls, now_);
    REQUIRE(ready.has_value() == any);
    if (ready) REQUIRE(model_.ready(*ready, now_));
    if (model_.ready(kEmergency, now_)) REQUIRE(*ready == kEmergency);

    const auto picked = scheduler_.pick(now_, limits);
    REQUIRE(picked.empty() == !ready);
    if (picked.empty()) return;
    REQUIRE(picked[0].cls == *ready);
    check_limits(picked, limits);
    for (const Entry& e : picked) take_picked(e);
    check_nothing_left_behind(picked, limits);
    if (random_(2) == 0) scheduler_.sent(*ready, static_cast<std::uint64_t>(random_(500)));
    model_.note(now_);
    flying_.insert(flying_.end(), picked.begin(), picked.end());
  }

  void check_limits(const std::vector<Entry>& picked, const PickLimits& limits) {
    std::size_t bytes = 0, company = 0;
    for (const Entry& e : picked) {
      bytes += e.bytes;
      if (e.cls != picked[0].cls) company += e.bytes;
      REQUIRE(model_.open(e.cls));
      if (picked[0].cls == kEmergency) REQUIRE(e.cls == kEmergency);
    }
    REQUIRE(picked.size() <= limits.max_messages);
    if (picked.size() > 1) REQUIRE(bytes <= std::max<std::size_t>(limits.max_bytes, picked[0].bytes));
    REQUIRE(company <= limits.company_bytes);
  }

  // Its node's oldest (lowest id) live one of that class at this moment.
  void take_picked(const Entry& e) {
    REQUIRE_FALSE(model_.expired(e, now_));
    for (const Entry& q : model_.live(e.cls, now_))
      if (q.node == e.node) REQUIRE(q.id >= e.id);
    model_.take(e, true);
  }

  // Where there was room, some head of each class that may go did not fit.
  void check_nothing_left_behind(const std::vector<Entry>& picked, const PickLimits& limits) {
    if (picked.size() == limits.max_messages) return;
    std::size_t bytes = 0, company = 0;
    for (const Entry& e : picked) {
      bytes += e.bytes;
      if (e.cls != picked[0].cls) company += e.bytes;
    }
    const std::size_t room = limits.max_bytes - std::min(limits.max_bytes, bytes);
    const std::size_t company_room = std::min(room, limits.company_bytes - company);
    for (ClassId cls = 0; cls < kClasses; ++cls) {
      const bool own = cls == picked[0].cls;
      if (!model_.open(cls) || (picked[0].cls == kEmergency && !own)) continue;
      const auto left = model_.live(cls, now_);
      if (left.empty()) continue;
      // The room may have shrunk by company after the class's own part ended: any entry over it explains the
      // end.
      const bool too_large = std::any_of(left.begin(), left.end(),
                                         [&](const Entry& e) { return e.bytes > (own ? room : company_room); });
      REQUIRE(too_large);
    }
  }

  void give_back() {
    if (flying_.empty()) return;
    const auto place = flying_.begin() + random_(static_cast<std::int64_t>(flying_.size()));
    scheduler_.give_back(*place);
    model_.add(*place);
    model_.due[place->cls] = true;
    flying_.erase(place);
    model_.note(now_);
    scheduler_.ready(now_);
  }

  void settle() {
    if (flying_.empty()) return;
    finish(flying_.back());
    scheduler_.charge(flying_.back().cls, flying_.back().node, random_(200) - 100);
    flying_.pop_back();
  }

  void set(ClassId cls, bool pause, bool value) {
    const bool done = pause ? scheduler_.pause(cls, value) : scheduler_.close(cls, value);
    REQUIRE(done == (cls != kEmergency));
    if (done) (pause ? model_.paused : model_.closed)[cls] = value;
  }
  void toggle() { set(static_cast<ClassId>(random_(kClasses)), random_(2) == 0, random_(3) == 0); }

  MessageId some_id() { return 1 + random_(next_); }

  void remove() {
    const MessageId id = some_id();
    const auto removed = scheduler_.remove(id);
    REQUIRE(removed.has_value() == is_queued(id));
    if (!removed) return;
    model_.take(*removed, false);
    finish(*removed);
    model_.note(now_);
  }

  void reclassify() {
    const MessageId id = some_id();
    const auto cls = static_cast<ClassId>(random_(kClasses));
    const bool there = is_queued(id);
    Entry e;
    for (const Entry& q : model_.queued)
      if (q.id == id) e = q;
    REQUIRE(scheduler_.reclassify(id, cls) == there);
    if (!there) return;
    model_.take(e, false);
    model_.note(now_);
    e.cls = cls;
    model_.add(e);
  }

  void evict() {
    const auto wanted = static_cast<std::uint64_t>(random_(2000));
    std::uint64_t freed = 0;
    for (const Entry& e : scheduler_.take_for_eviction(wanted)) {
      REQUIRE(freed < wanted);
      REQUIRE(e.cls != kEmergency);
      for (const Entry& q : model_.queued) {
        REQUIRE((q.cls <= e.cls));
        // What has expired goes first, in any order.
        if (q.cls == e.cls && !model_.expired(e, now_)) REQUIRE(q.accepted >= e.accepted);
      }
      freed += e.bytes;
      model_.take(e, false);
      finish(e);
    }
    if (freed < wanted)
      for (const Entry& q : model_.queued) REQUIRE(q.cls == kEmergency);
    model_.note(now_);
  }

  void conflate() {
    model_.restore_latest(now_);
    std::set<MessageId> expected, taken;
    for (const Entry& e : model_.queued)
      if (model_.conflates(e) && !model_.expired(e, now_) && *model_.latest_of(e) > e.id) expected.insert(e.id);
    for (const Entry& e : scheduler_.take_conflated()) {
      taken.insert(e.id);
      model_.take(e, false);
      finish(e);
    }
    REQUIRE(taken == expected);
    model_.note(now_);
  }

  void sweep() {
    std::set<MessageId> expected, taken;
    for (const Entry& e : model_.queued)
      if (model_.expired(e, now_)) expected.insert(e.id);
    if (!expected.empty()) REQUIRE(*scheduler_.next_wake(now_) == now_);
    if (random_(2) == 0) return;  // what is not taken must not matter to anything but the counts
    for (const Entry& e : scheduler_.take_expired(now_)) {
      taken.insert(e.id);
      model_.take(e, false);
      finish(e);
    }
    REQUIRE(taken == expected);
    model_.note(now_);
  }

  bool is_queued(MessageId id) const {
    return std::any_of(model_.queued.begin(), model_.queued.end(), [id](const Entry& e) { return e.id == id; });
  }
  void finish(const Entry& e) { REQUIRE(finished_.insert(e.id).second); }

  Random random_;
  std::vector<config::MessageClass> classes_;
  Scheduler scheduler_;
  Model model_;
  BootTime now_ = at(10'000);
  MessageId next_ = 1;
  std::vector<Entry> flying_;
  std::set<MessageId> finished_;
};

}  // namespace

TEST_CASE("scheduler property: agrees with a naive model under random operations") {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    Run run(seed);
    for (int i = 0; i < 600; ++i) {
      run.step();
      if (i % 10 == 0) run.check_states();
    }
    run.drain();
  }
}
