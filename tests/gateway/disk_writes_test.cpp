// SPDX-License-Identifier: Apache-2.0
#include "gateway/disk_writes.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/catch.hpp"

namespace tulpar {
namespace {

constexpr WallTime kNoon{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1} + std::chrono::hours(12)};

TEST_CASE("DiskWrites: today begins at midnight, or with the program") {
  DiskWrites writes;
  CHECK_FALSE(writes.today());
  writes.note(4096, kNoon);
  CHECK(writes.today() == 4096);
  writes.note(10'000, kNoon + std::chrono::hours(11));
  CHECK(writes.today() == 10'000);
  writes.note(10'500, kNoon + std::chrono::hours(13));
  CHECK(writes.today() == 500);
  CHECK(writes.total() == 10'500);
}

TEST_CASE("DiskWrites: a clock that steps, either way, counts no byte twice") {
  DiskWrites writes;
  writes.note(1000, WallTime{});
  writes.note(1500, kNoon);
  CHECK(writes.today() == 500);
  writes.note(1700, kNoon - std::chrono::days(3));
  CHECK(writes.today() == 200);
  CHECK(writes.total() == 1700);
}

// Bytes by which the kernel's count grew while a megabyte was written; nothing where it does not count.
std::optional<std::int64_t> counted_megabyte() {
  const auto before = DiskWrites::of_process();
  std::string name = "/tmp/tulpar-XXXXXX";
  const int file = mkstemp(name.data());
  REQUIRE(file >= 0);
  const std::string bytes(1 << 20, 'x');
  CHECK(write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  fsync(file);
  close(file);
  std::filesystem::remove(name);
  const auto after = DiskWrites::of_process();
  return before && after ? std::optional(*after - *before) : std::nullopt;
}

TEST_CASE("DiskWrites: the kernel counts what this process writes") {
  const auto counted = counted_megabyte();
  // A file system in memory writes nothing.
  if (counted && *counted > 0)
    CHECK(*counted >= 1 << 20);
  else
    WARN("skipped: this kernel does not count, or /tmp is no disk");
}

}  // namespace
}  // namespace tulpar
