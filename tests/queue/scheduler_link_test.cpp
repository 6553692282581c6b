// SPDX-License-Identifier: Apache-2.0
//
// The scheduler as a link uses it: frame by frame, with transfers that are interrupted and go on later.
// A failure prints the seed; the run is the same for the same seed.
#include <algorithm>
#include <map>
#include <random>

#include "queue/scheduler.hpp"
#include "tests/catch.hpp"
#include "tests/queue/entries.hpp"

using namespace tulpar;
using namespace tulpar::queue;

namespace {

constexpr std::uint64_t kFrame = 240;  // 200 ms at 9600 bit/s
constexpr Millis kFrameTime{200};
constexpr ClassId kUrgent = 1, kMiddle = 2, kBulk = 4;

class Link {
 public:
  explicit Link(const std::vector<config::MessageClass>& classes) : scheduler(classes) {}

  MessageId add(ClassId cls, std::uint32_t bytes, NodeId node = 1) {
    offered[node] += bytes;
    scheduler.add({.id = ++last_, .accepted = now, .bytes = bytes, .node = node, .cls = cls});
    return last_;
  }
  // Keeps a class supplied with `bytes` at least.
  void supply(ClassId cls, std::uint64_t bytes, NodeId node, std::mt19937& random) {
    while (scheduler.state(cls).queued_bytes < bytes) add(cls, 1 + random() % 300, node);
  }

  // One frame leaves; false: nothing to send.
  bool frame() {
    ClassSet unfinished;
    for (const auto& [cls, transfer] : transfers_) unfinished.set(cls);
    const auto cls = scheduler.ready(now, unfinished);
    if (!cls) return false;
    if (!unfinished[*cls]) begin(*cls);
    Transfer& transfer = transfers_[*cls];
    const std::uint64_t bytes = std::min(kFrame, transfer.left);
    transfer.left -= bytes;
    unfinished.set(*cls);
    scheduler.sent(*cls, bytes, unfinished);
    sent[*cls] += bytes;
    now += kFrameTime;
    if (transfer.left > 0) return true;
    for (const Entry& entry : transfer.entries) {
      done[entry.id] = now;
      by_node[entry.node] += entry.bytes;
    }
    transfers_.erase(*cls);
    return true;
  }
  double total() const {
    double bytes = 0;
    for (const auto& [cls, part] : sent) bytes += static_cast<double>(part);
    return bytes;
  }
  double part(ClassId cls) const { return static_cast<double>(sent.at(cls)) / total(); }

  Scheduler scheduler;
  BootTime now = at(0);
  std::map<ClassId, std::uint64_t> sent;
  std::map<NodeId, std::uint64_t> offered, by_node;  // by_node: has left
  std::map<MessageId, BootTime> done;

 private:
  struct Transfer {
    std::vector<Entry> entries;
    std::uint64_t left = 0;
  };
  void begin(ClassId cls) {
    Transfer transfer;
    transfer.entries = scheduler.pick(now, {.max_bytes = 1200, .company_bytes = 240, .max_messages = 64});
    REQUIRE(transfer.entries.at(0).cls == cls);
    for (const Entry& entry : transfer.entries) transfer.left += entry.bytes;
    transfers_[cls] = std::move(transfer);
  }

  MessageId last_ = 0;
  std::map<ClassId, Transfer> transfers_;
};

}  // namespace

TEST_CASE("scheduler link property: each class that always has work gets its minimum and its weight's part") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    auto classes = plain_classes(5);
    double minima = 0, weights = 0;
    for (ClassId cls = 1; cls <= kBulk; ++cls) {
      classes[cls].weight = 1 + random() % 100;
      classes[cls].minimum_share = cls == kBulk ? 0 : static_cast<double>(random() % 20) / 100;
      minima += classes[cls].minimum_share;
      weights += classes[cls].weight;
    }
    Link link(classes);
    for (int i = 0; i < 40'000; ++i) {
      for (ClassId cls = 1; cls <= kBulk; ++cls) link.supply(cls, 5000, 1, random);
      REQUIRE(link.frame());
    }
    for (ClassId cls = 1; cls <= kBulk; ++cls) {
      CAPTURE(int{cls});
      const double share = classes[cls].minimum_share + (1 - minima) * classes[cls].weight / weights;
      CHECK(link.part(cls) == ::Approx(share).margin(0.01));
    }
  }
}

TEST_CASE("scheduler link property: a flood of urgent messages, any weights: the others keep their minimum") {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    auto classes = plain_classes(5);
    classes[kUrgent].weight = 1000;
    for (ClassId cls = kMiddle; cls <= kBulk; ++cls) classes[cls].weight = 1;
    Link link(classes);
    for (int i = 0; i < 40'000; ++i) {
      // Sometimes the flood has only one message at a time, sometimes a heap.
      link.supply(kUrgent, random() % 3 == 0 ? 10'000 : 1, 1, random);
      for (ClassId cls = kMiddle; cls <= kBulk; ++cls) link.supply(cls, 1000, 1, random);
      REQUIRE(link.frame());
    }
    // The more urgent ones have had their head starts once, however long it goes on.
    for (ClassId cls = kMiddle; cls <= kBulk; ++cls)
      CHECK(link.part(cls) >= 0.05 - 4 * Shares::kHeadStart / link.total());
    CHECK(link.part(kUrgent) >= 0.8);
  }
}

TEST_CASE("scheduler link: a text now and then waits a frame, whatever else is queued and running") {
  auto classes = config::default_classes();
  for (auto& cls : classes) cls.hold = Millis{0};
  Link link(classes);
  std::mt19937 random(1);
  for (int i = 0; i < 30; ++i) link.add(kBulk, 1 << 20);
  std::map<MessageId, BootTime> texts;
  BootTime next = at(0);
  while (texts.size() < 1000) {
    for (const ClassId cls : {kMiddle, ClassId{3}}) link.supply(cls, 20'000, 1, random);
    if (link.now >= next) {
      texts[link.add(kUrgent, 60 + random() % 120)] = link.now;
      next = link.now + Millis{2000};
    }
    REQUIRE(link.frame());
  }
  for (int i = 0; i < 10; ++i) link.frame();
  for (const auto& [id, since] : texts) REQUIRE(link.done.at(id) - since <= 3 * kFrameTime);
}

TEST_CASE("scheduler link: an emergency is in the next frame, and the transfer goes on where it stopped") {
  Link link(plain_classes(5));
  const MessageId large = link.add(kBulk, 1 << 20);
  for (int i = 0; i < 100; ++i) link.frame();
  const BootTime since = link.now;
  const MessageId sos = link.add(kEmergency, 200);
  while (link.frame()) {
  }
  CHECK(link.done.at(sos) - since == kFrameTime);
  CHECK(link.done.contains(large));
  CHECK(link.sent.at(kBulk) == 1 << 20);  // nothing was sent twice
}

TEST_CASE("scheduler link property: a noisy node takes nothing from the quiet ones of its class") {
  for (unsigned seed = 1; seed <= 10; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    Link link(plain_classes(2));
    constexpr NodeId kNoisy = 1, kAlsoNoisy = 2, kQuiet = 3;
    for (int i = 0; i < 20'000; ++i) {
      while (link.offered[kNoisy] < link.by_node[kNoisy] + 10'000)
        link.add(kUrgent, 1 + random() % 250, kNoisy);
      while (link.offered[kAlsoNoisy] < link.by_node[kAlsoNoisy] + 10'000)
        link.add(kUrgent, 1 + random() % 40, kAlsoNoisy);
      std::map<MessageId, BootTime> quiet;
      if (i % 50 == 0) quiet[link.add(kUrgent, 150, kQuiet)] = link.now;
      for (int frames = 0; !quiet.empty(); ++frames, ++i) {
        // A batch under way, a turn of each noisy node, and its own batch.
        REQUIRE(frames <= 20);
        REQUIRE(link.frame());
        if (link.done.contains(quiet.begin()->first)) quiet.clear();
      }
      REQUIRE(link.frame());
    }
    const auto difference = static_cast<std::int64_t>(link.by_node.at(kNoisy)) -
                            static_cast<std::int64_t>(link.by_node.at(kAlsoNoisy));
    CHECK(std::abs(difference) <= 5000);  // of 2 MB each: a batch and a turn
  }
}
