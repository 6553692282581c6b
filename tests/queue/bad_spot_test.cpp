// SPDX-License-Identifier: Apache-2.0
//
// A disk that cannot read a store's file, all of it or one spot, or that cannot be told to keep something: this
// program's own pread() and fsync() stand before the C library's, for SQLite, too.
#include <dlfcn.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>
#include <vector>

#include "tests/queue/salvage_fixture.hpp"

namespace {

struct BadSpot {
  off_t begin = 0, end = 0;
  ino_t file = 0;
};
BadSpot bad_spot;

ssize_t read_around(int fd, void* bytes, size_t size, off_t at) {
  static auto* const real =
      reinterpret_cast<ssize_t (*)(int, void*, size_t, off_t)>(dlsym(RTLD_NEXT, "pread64"));
  struct stat file = {};
  if (bad_spot.file && at < bad_spot.end && at + static_cast<off_t>(size) > bad_spot.begin &&
      fstat(fd, &file) == 0 && file.st_ino == bad_spot.file) {
    errno = EIO;
    return -1;
  }
  return real(fd, bytes, size, at);
}

struct Syncs {
  std::vector<std::string> kept;  // what was asked to be on disk, in order
  std::string refused;            // the one that the disk does not keep
};
Syncs syncs;

int sync_noted(int fd) {
  static auto* const real = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, "fsync"));
  std::error_code failed;
  const auto path = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), failed).string();
  if (path == syncs.refused) {
    errno = EIO;
    return -1;
  }
  syncs.kept.push_back(path);
  return real(fd);
}

}  // namespace

extern "C" {
int fsync(int fd) { return sync_noted(fd); }
ssize_t pread(int fd, void* bytes, size_t size, off_t at) { return read_around(fd, bytes, size, at); }
ssize_t pread64(int fd, void* bytes, size_t size, off64_t at) { return read_around(fd, bytes, size, at); }
}

namespace tulpar::queue {
namespace {

struct Fixture : SalvageFixture {
  std::string file;
  Fixture() {
    fill(120);
    file = close();
  }
  ~Fixture() {
    bad_spot = {};
    syncs = {};
  }
  void spoil(std::size_t first_page, std::size_t pages) {
    struct stat there = {};
    REQUIRE(stat(path.c_str(), &there) == 0);
    bad_spot = {static_cast<off_t>((first_page - 1) * kPage),
                static_cast<off_t>((first_page - 1 + pages) * kPage), there.st_ino};
  }
  Result<std::unique_ptr<Store>> start() { return Store::open(path, kClassNames, clock); }
  // Of a page that holds the body of one that waits.
  std::size_t some_page() { return *waiting.at("topic/6").pages.rbegin(); }
};

TEST_CASE_METHOD(Fixture, "A disk that cannot read the file for a while is waited for, and nothing is lost") {
  const bool all = GENERATE(true, false);
  all ? spoil(1, 10'000) : spoil(some_page(), 1);
  for (int i = 0; i < 5; ++i) {
    const auto opened = start();
    REQUIRE(opened.has_error());
    CHECK(opened.error().message.find("disk") != std::string::npos);
  }
  CHECK(read_file(path + ".damaged-1").empty());
  bad_spot = {};
  CHECK_FALSE(reopen_damaged());
  CHECK(lost_besides({}) == 0);
  CHECK_FALSE(std::filesystem::exists(path + ".unreadable"));  // the next trouble is counted anew
}

TEST_CASE_METHOD(Fixture, "A bad spot that stays is given up, and costs what stands on it") {
  const auto page = some_page();
  spoil(page, 1);
  for (int i = 1; i < kStartsToWait; ++i) REQUIRE(start().has_error());
  const auto salvaged = reopen_damaged();
  REQUIRE(salvaged);
  CHECK(salvaged->why == "the disk reports: Input/output error");
  CHECK(lost_besides({page}) == 0);
  CHECK(salvaged->mended.lost.all > 0);
  check_sound();
  check_numbers();
}

TEST_CASE_METHOD(Fixture, "A disk that reads nothing is waited for however long it takes") {
  spoil(1, 10'000);
  for (int i = 0; i < 2 * kStartsToWait; ++i) REQUIRE(start().has_error());
  bad_spot = {};
  CHECK_FALSE(reopen_damaged());
  CHECK(lost_besides({}) == 0);
}

TEST_CASE_METHOD(Fixture, "A note of damage does not make it salvage what cannot be read") {
  REQUIRE(note_damage(path, "met in use").has_value());
  spoil(1, 10'000);
  REQUIRE(start().has_error());
  bad_spot = {};
  const auto salvaged = reopen_damaged();
  REQUIRE(salvaged);
  CHECK(lost_besides({}) == 0);
}

TEST_CASE_METHOD(Fixture, "A note of damage is on disk, with its name, or it is said that it may not be") {
  const std::string note = path + ".suspect";
  const std::string folder = std::filesystem::path(path).parent_path();
  const auto asked = [&](const std::string& file) {
    return std::find(syncs.kept.begin(), syncs.kept.end(), file) != syncs.kept.end();
  };
  SECTION("the disk keeps it") {
    syncs = {};
    REQUIRE(note_damage(path, "met in use").has_value());
    CHECK(asked(note));
    CHECK(asked(folder));
    CHECK(read_file(note) == "met in use");
    CHECK(std::filesystem::status(note).permissions() == std::filesystem::perms(0600));
  }
  SECTION("it does not keep the words") { syncs.refused = note; }
  SECTION("it does not keep the name") { syncs.refused = folder; }
  SECTION("it does not take the file") { std::filesystem::create_directory(note); }
  if (syncs.refused.empty() && !std::filesystem::is_directory(note)) return;
  const auto noted = note_damage(path, "met in use");
  REQUIRE(noted.has_error());
  CHECK(noted.error().message.find(note + " cannot be written: ") == 0);
}

TEST_CASE_METHOD(Fixture, "A read that the disk refuses is no damage to the one who reads") {
  StoreReader reader(path);
  spoil(1, 10'000);
  try {
    reader.list({});
    FAIL("it was read");
  } catch (const StoreError& error) {
    CHECK(error.is_unreadable());
    CHECK_FALSE(error.is_damage());
    CHECK(error.plain() == "the disk reports: Input/output error");
  }
  bad_spot = {};
  CHECK_FALSE(reader.list({}).empty());
}

}  // namespace
}  // namespace tulpar::queue
