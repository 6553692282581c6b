// SPDX-License-Identifier: Apache-2.0
#include "gateway/state_lock.hpp"

#include <sys/stat.h>

#include <optional>
#include <stdexcept>

#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar {
namespace {

unsigned mode_of(const std::string& path) {
  struct stat found {};
  REQUIRE(stat(path.c_str(), &found) == 0);
  return found.st_mode & 0777u;
}

}  // namespace

TEST_CASE("a state directory serves one program at a time, and the next one after it") {
  queue::TempDir dir;
  std::optional<StateLock> first(std::in_place, dir / "state");
  CHECK_THROWS_WITH(StateLock(dir / "state"), Catch::Matchers::Contains("another tulpar runs on it"));
  StateLock other(dir / "elsewhere");
  first.reset();
  CHECK_NOTHROW(StateLock(dir / "state"));
}

TEST_CASE(
    "a new state directory is its owner's alone; one that was there keeps its group, and others are shut out") {
  queue::TempDir dir;
  StateLock made(dir / "new");
  CHECK(mode_of(dir / "new") == 0700u);
  REQUIRE(mkdir((dir / "there").c_str(), 0755) == 0);
  REQUIRE(chmod((dir / "there").c_str(), 0755) == 0);
  StateLock there(dir / "there");
  CHECK(mode_of(dir / "there") == 0750u);
}

TEST_CASE("a directory that cannot be made is an error that names it") {
  CHECK_THROWS_WITH(StateLock("/proc/none/tulpar"), Catch::Matchers::Contains("/proc/none/tulpar"));
}

}  // namespace tulpar
