// SPDX-License-Identifier: Apache-2.0
#include "tests/queue/power_cut_disk.hpp"

#include <algorithm>
#include <set>

#include "tests/catch.hpp"

namespace tulpar::queue {
namespace {

using Kind = DiskOperation::Kind;

// One file, durable with 4096 bytes of 'a'.
struct Fixture {
  PowerCutDisk disk;
  int file = 0;

  explicit Fixture(Device device = {}) : disk(device) {
    disk.apply({Kind::kCreate, file, "f", 0, {}});
    write(0, 4096, 'a');
    disk.apply({Kind::kSync, file, {}, 0, {}});
    disk.apply({Kind::kSyncFolder, -1, {}, 0, {}});
  }
  void write(std::int64_t offset, std::size_t size, char with) {
    disk.apply({Kind::kWrite, file, {}, offset, Bytes(size, static_cast<std::uint8_t>(with))});
  }
  void truncate(std::int64_t size) { disk.apply({Kind::kTruncate, file, {}, size, {}}); }

  // What is left of the file, for many seeds.
  std::set<std::string> outcomes(int seeds = 2000) const {
    std::set<std::string> found;
    for (int seed = 0; seed < seeds; ++seed) {
      const auto left = disk.after_cut(static_cast<std::uint64_t>(seed));
      const auto at = left.find("f");
      found.insert(at ? std::string(as_text(left.content(*at))) : "none");
    }
    return found;
  }
};

std::string text(std::size_t a, std::size_t b, std::size_t c = 0) {
  return std::string(a, 'a') + std::string(b, 'b') + std::string(c, 'c');
}

}  // namespace

TEST_CASE("A disk keeps what was synced, whatever came after") {
  Fixture f;
  CHECK(f.disk.unsynced() == 0);
  CHECK(f.outcomes() == std::set{text(4096, 0)});
  f.write(4096, 512, 'b');
  CHECK(f.disk.unsynced() == 1);
  for (const auto& left : f.outcomes()) CHECK(left.substr(0, 4096) == text(4096, 0));
  f.disk.apply({Kind::kSync, f.file, {}, 0, {}});
  CHECK(f.outcomes() == std::set{text(4096, 512)});
}

TEST_CASE("What was not synced is kept, lost, torn and reordered") {
  Fixture f;
  f.write(4096, 1024, 'b');
  f.write(5120, 512, 'c');
  const auto found = f.outcomes();
  CHECK(found.contains(text(4096, 0)));
  CHECK(found.contains(text(4096, 1024)));
  CHECK(found.contains(text(4096, 512)));
  CHECK(found.contains(text(4096, 1024, 512)));
  // The later one is there, the earlier is a hole.
  CHECK(found.contains(text(4096, 0) + std::string(1024, '\0') + std::string(512, 'c')));
}

TEST_CASE("A truncation that was not synced may not have happened") {
  Fixture f;
  f.truncate(100);
  CHECK(f.disk.content(f.file).size() == 100);
  CHECK(f.outcomes() == std::set{text(4096, 0), text(100, 0)});
}

TEST_CASE("With powersafe overwrite nothing beside a write is harmed, without it the sector may be") {
  for (const int sector : {512, 4096}) {
    for (const bool safe : {true, false}) {
      Fixture f(Device{sector, safe, safe});
      f.write(1000, 10, 'b');
      bool beside = false, beyond = false;
      const int first = 1000 / sector * sector;
      for (const auto& left : f.outcomes(20'000)) {
        const auto harmed = [&](int from, int to) {
          return left.substr(from, to - from) != std::string(to - from, 'a');
        };
        beside = beside || harmed(first, 1000) || harmed(1010, first + sector);
        beyond = beyond || harmed(0, first) || harmed(first + sector, 4096);
      }
      CHECK(beside == !safe);
      CHECK_FALSE(beyond);
    }
  }
}

TEST_CASE("A name is durable with its folder only") {
  Fixture f;
  f.disk.apply({Kind::kRemove, f.file, "f", 0, {}});
  CHECK_FALSE(f.disk.find("f"));
  CHECK(f.outcomes() == std::set<std::string>{"none", text(4096, 0)});
  f.disk.apply({Kind::kCreate, f.disk.next_file(), "f", 0, {}});
  CHECK(f.outcomes() == std::set<std::string>{"none", "", text(4096, 0)});
  f.disk.apply({Kind::kSyncFolder, -1, {}, 0, {}});
  CHECK(f.outcomes() == std::set<std::string>{""});
}

TEST_CASE("A seed gives the same disk again, and what is left is durable") {
  Fixture f;
  for (int i = 0; i < 20; ++i) f.write(4096 + i * 700, 700, static_cast<char>('b' + i));
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto left = f.disk.after_cut(seed), again = f.disk.after_cut(seed), later = left.after_cut(seed + 1);
    CHECK(std::ranges::equal(left.content(0), again.content(0)));
    CHECK(std::ranges::equal(left.content(0), later.content(0)));
    CHECK(left.unsynced() == 0);
  }
}

}  // namespace tulpar::queue
