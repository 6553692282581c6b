// SPDX-License-Identifier: Apache-2.0
#include "queue/fair_queue.hpp"

#include <map>

#include "tests/catch.hpp"
#include "tests/queue/entries.hpp"

using namespace tulpar;
using namespace tulpar::queue;

namespace {

class Fixture {
 public:
  // `count` messages of a node.
  void add(NodeId node, std::uint32_t bytes, int count = 1) {
    for (int i = 0; i < count; ++i, ++next_)
      queue.insert({.id = next_, .accepted = at(next_), .bytes = bytes, .node = node});
  }
  // Bytes by node of the first `count` messages that leave.
  std::map<NodeId, std::uint64_t> take(int count) {
    std::map<NodeId, std::uint64_t> bytes;
    for (int i = 0; i < count && !queue.empty(); ++i) {
      const Entry entry = queue.take_next();
      bytes[entry.node] += entry.bytes;
    }
    return bytes;
  }
  FairQueue queue;

 private:
  MessageId next_ = 1;
};

}  // namespace

TEST_CASE("fair queue: a quiet node's message waits for a turn of each noisy one, not for their backlog") {
  Fixture f;
  f.add(1, 100, 1000);
  f.add(2, 100, 1000);
  f.take(10);
  f.add(3, 100);
  int before = 0;
  while (f.queue.take_next().node != 3) ++before;
  CHECK(before * 100 <= 2 * FairQueue::kQuantum + 2 * 100);
}

TEST_CASE("fair queue: nodes get the same bytes, not the same number of messages") {
  Fixture f;
  f.add(1, 1000, 300);
  f.add(2, 10, 30'000);
  f.add(3, 137, 3'000);
  const auto bytes = f.take(10'000);
  for (const NodeId node : {2, 3}) {
    const auto difference = static_cast<std::int64_t>(bytes.at(1)) - static_cast<std::int64_t>(bytes.at(node));
    CHECK(std::abs(difference) <= 1000 + FairQueue::kQuantum);
  }
}

TEST_CASE("fair queue: a huge message waits for as many bytes of the others as it has") {
  Fixture f;
  f.add(1, 1 << 20);
  f.add(2, 200, 10'000);
  std::uint64_t others = 0;
  for (Entry entry = f.queue.take_next(); entry.node != 1; entry = f.queue.take_next()) others += entry.bytes;
  CHECK(others > (1 << 20) - 1000);
  CHECK(others < (1 << 20) + 1000);
}

TEST_CASE("fair queue: huge messages of all nodes take turns") {
  Fixture f;
  for (const NodeId node : {1, 2, 3}) f.add(node, 1 << 20, 2);
  std::vector<NodeId> order;
  while (!f.queue.empty()) order.push_back(f.queue.take_next().node);
  CHECK(order == std::vector<NodeId>{1, 2, 3, 1, 2, 3});
}

TEST_CASE("fair queue: empty messages are not free") {
  Fixture f;
  f.add(1, 0, 100'000);
  f.add(2, 100, 1);
  int before = 0;
  while (f.queue.take_next().node != 2) ++before;
  CHECK(before <= FairQueue::kQuantum);
}

TEST_CASE("fair queue: looking at the next one changes nothing") {
  Fixture f;
  f.add(1, 400, 3);
  f.add(2, 300, 3);
  while (!f.queue.empty()) {
    const MessageId id = f.queue.next().id;
    CHECK(f.queue.next().id == id);
    CHECK(f.queue.take_next().id == id);
  }
}

TEST_CASE("fair queue: a charge shifts the shares by what it says") {
  Fixture f;
  f.add(1, 100, 1000);
  f.add(2, 100, 1000);
  f.queue.charge(1, 10'000);
  f.queue.charge(99, 10'000);  // has no work, hence no account
  const auto bytes = f.take(500);
  const auto ahead = static_cast<std::int64_t>(bytes.at(2)) - static_cast<std::int64_t>(bytes.at(1));
  CHECK(std::abs(ahead - 10'000) <= 2 * FairQueue::kQuantum);
}

TEST_CASE("fair queue: a node that ran empty comes back without debt or savings") {
  Fixture f;
  f.add(1, 100, 2);
  f.add(2, 100, 100);
  f.queue.charge(1, -1'000'000);
  f.take(20);  // node 1 has used a little of its savings and run empty
  f.add(1, 100, 100);
  const auto bytes = f.take(40);
  CHECK(bytes.at(1) <= bytes.at(2) + FairQueue::kQuantum + 100);
}

TEST_CASE("fair queue: counts, oldest and taking by age follow every change") {
  Fixture f;
  f.add(1, 10, 2);  // ids 1, 2
  f.add(2, 20, 2);  // ids 3, 4
  CHECK(f.queue.size() == 4);
  CHECK(f.queue.bytes() == 60);
  CHECK(f.queue.oldest() == at(1));

  CHECK(f.queue.take(1)->node == 1);
  CHECK_FALSE(f.queue.take(1));
  CHECK_FALSE(f.queue.take(2, 2));
  CHECK(f.queue.find(1, 2)->id == 2);
  CHECK(f.queue.oldest() == at(2));
  CHECK(f.queue.take_oldest().id == 2);
  CHECK(f.queue.find(1, 2) == std::nullopt);
  CHECK(f.queue.take(2, 4)->id == 4);
  CHECK(f.queue.size() == 1);
  CHECK(f.queue.bytes() == 20);

  std::deque<Entry> out;
  f.queue.take_until(at(2), out);
  CHECK(out.empty());
  f.queue.take_until(at(3), out);
  CHECK(out.size() == 1);
  CHECK(f.queue.empty());
  CHECK(f.queue.bytes() == 0);
}
