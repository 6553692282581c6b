// SPDX-License-Identifier: Apache-2.0
#include "queue/ballast.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "queue/salvage.hpp"
#include "tests/catch.hpp"
#include "tests/queue/small_disk.hpp"

namespace tulpar::queue {
namespace {

namespace fs = std::filesystem;

std::int64_t allocated(const std::string& file) {
  struct stat there = {};
  return stat(file.c_str(), &there) == 0 ? there.st_blocks * 512 : -1;
}

TEST_CASE("Ballast is really allocated, and not given back while there is room") {
  TempDir dir;
  Ballast ballast(dir / "");
  REQUIRE(ballast.restore());
  CHECK(allocated(dir / "ballast") >= static_cast<std::int64_t>(Ballast::kSize));
  CHECK(ballast.restore());
  CHECK_FALSE(ballast.release());
  CHECK(fs::exists(dir / "ballast"));
}

TEST_CASE("A folder that is gone has no ballast, and does no harm") {
  Ballast ballast("/no/such/folder");
  CHECK_FALSE(ballast.restore());
  CHECK_FALSE(ballast.release());
}

struct Fixture {
  SmallDisk disk{"32m"};
  FakeClock clock;
  // False: this machine does not let us mount; the test says so.
  bool ready() const {
    if (!disk.mounted()) WARN("skipped: needs root, to mount a small file system");
    return disk.mounted();
  }
};

TEST_CASE_METHOD(Fixture, "A full disk gets the ballast, and gives it back when there is room again") {
  if (!ready()) return;
  Ballast ballast(disk / "");
  REQUIRE(ballast.restore());
  disk.fill();
  CHECK(ballast.release());
  CHECK(fs::space(disk / "").available >= Ballast::kSize);
  CHECK_FALSE(ballast.release());  // once
  CHECK_FALSE(ballast.restore());  // what is free is only what it was
  disk.clear();
  CHECK(ballast.restore());
}

TEST_CASE_METHOD(Fixture, "Ballast is not made of the last of the disk") {
  if (!ready()) return;
  Ballast ballast(disk / "");
  disk.fill(Ballast::kRoom - 4096);
  CHECK_FALSE(ballast.restore());
  CHECK_FALSE(fs::exists(disk / "ballast"));
}

TEST_CASE_METHOD(Fixture, "A store opens on a full disk with what the ballast held") {
  if (!ready()) return;
  const std::string path = disk / "store.db";
  StoreFixture elsewhere;
  elsewhere.accept(elsewhere.message());
  elsewhere.store.reset();
  fs::copy_file(elsewhere.path, path);
  Ballast ballast(disk / "");
  REQUIRE(ballast.restore());
  disk.fill();
  clock.reboot("boot-2", std::chrono::hours(1));
  REQUIRE(Store::open(path, kClassNames, clock).has_error());
  REQUIRE(ballast.release());
  const auto opened = Store::open(path, kClassNames, clock);
  REQUIRE(opened.has_value());
  CHECK((*opened)->database().query_int("SELECT count(*) FROM message WHERE state = 0") == 1);
}

TEST_CASE_METHOD(Fixture, "Where a salvage has no room, older damaged files go first") {
  if (!ready()) return;
  const std::string path = disk / "store.db";
  { auto store = open_store(path, clock); }
  std::ofstream(path + ".damaged-1") << std::string(4 << 20, 'x');
  std::ofstream(path + ".damaged-2") << std::string(4 << 20, 'x');
  std::ofstream(path, std::ios::in | std::ios::out) << "something else";
  disk.fill();
  std::optional<Salvaged> salvaged;
  auto opened = Store::open(path, kClassNames, clock, &salvaged);
  REQUIRE(opened.has_value());
  REQUIRE(salvaged);
  REQUIRE(salvaged->removed.size() == 1);
  CHECK(salvaged->removed.front().file == path + ".damaged-1");
  CHECK(salvaged->removed.front().bytes == 4 << 20);
  CHECK(salvaged->aside == path + ".damaged-3");
}

}  // namespace
}  // namespace tulpar::queue
