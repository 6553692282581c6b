// SPDX-License-Identifier: Apache-2.0
#include "queue/latest_index.hpp"

#include "tests/catch.hpp"

using namespace tulpar::queue;

namespace {

using Suspects = std::vector<std::pair<NodeId, MessageId>>;

Entry entry(MessageId id, std::uint32_t kind = 7, NodeId node = 1) {
  return {.id = id, .kind = kind, .node = node};
}

}  // namespace

TEST_CASE("latest index: a later one of the same node and kind replaces, nothing else does") {
  LatestIndex index;
  index.added(entry(1));
  index.added(entry(2, 8));
  index.added(entry(3, 7, 2));
  index.added(entry(4, 0));
  index.added(entry(5, 0));
  CHECK(index.take_suspects().empty());

  index.added(entry(6));
  CHECK(index.take_suspects() == Suspects{{1, 1}});
  CHECK(index.take_suspects().empty());
  CHECK(index.replaced(entry(1)));
  CHECK_FALSE(index.replaced(entry(6)));
  CHECK_FALSE(index.replaced(entry(2, 8)));
  CHECK_FALSE(index.replaced(entry(4, 0)));
}

TEST_CASE("latest index: an older one that comes after a later one is replaced") {
  LatestIndex index;
  index.added(entry(2));
  index.added(entry(1));
  CHECK(index.take_suspects() == Suspects{{1, 1}});
}

TEST_CASE("latest index: what was picked is no suspect, but outdates what is given back") {
  LatestIndex index;
  index.added(entry(1));
  index.picked(entry(1));
  index.added(entry(2));
  CHECK(index.take_suspects().empty());
  index.picked(entry(2));

  index.added(entry(1));
  CHECK(index.take_suspects() == Suspects{{1, 1}});
  index.added(entry(2));
  CHECK(index.take_suspects().empty());
  CHECK_FALSE(index.replaced(entry(2)));
}

TEST_CASE("latest index: what has gone for good outdates nothing") {
  LatestIndex index;
  index.added(entry(1));
  index.added(entry(2));
  index.gone(entry(1));  // not the latest: nothing to forget
  CHECK(index.replaced(entry(1)));
  index.gone(entry(2));
  CHECK_FALSE(index.replaced(entry(1)));
}

TEST_CASE("latest index: one node's picked messages count once") {
  LatestIndex index;
  index.added(entry(1, 7, 2));
  index.picked(entry(1, 7, 2));
  for (MessageId id = 2; id < 3 * static_cast<MessageId>(LatestIndex::kRemembered); ++id) {
    index.added(entry(id));
    index.picked(entry(id));
  }
  CHECK(index.replaced(entry(0, 7, 2)));
}

TEST_CASE("latest index: remembers a bounded number of picked ones") {
  LatestIndex index;
  const auto count = static_cast<MessageId>(LatestIndex::kRemembered);
  for (MessageId id = 1; id <= count; ++id) {
    index.added(entry(id, 7, static_cast<NodeId>(id)));
    index.picked(entry(id, 7, static_cast<NodeId>(id)));
    CHECK(index.replaced(entry(0, 7, 1)));
  }
  index.added(entry(count + 1, 9, 0));
  index.added(entry(count + 2, 9, -1));
  index.picked(entry(count + 1, 9, 0));
  CHECK_FALSE(index.replaced(entry(0, 7, 1)));
  CHECK(index.replaced(entry(0, 9, -1)));  // what is queued stays known
}
