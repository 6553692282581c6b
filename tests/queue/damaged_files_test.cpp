// SPDX-License-Identifier: Apache-2.0
#include "queue/damaged_files.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {
namespace {

using std::chrono::days;

constexpr std::uint64_t kNoBound = 1u << 30;

struct Fixture {
  TempDir dir;
  std::string path = dir / "queue.db";
  WallTime now{std::chrono::sys_days{std::chrono::year{2027} / 5 / 1}};

  void make(int number, std::size_t bytes = 100, std::size_t log = 0) {
    std::ofstream(damaged_file(path, number)) << std::string(bytes, 'x');
    if (log) std::ofstream(damaged_file(path, number) + "-wal") << std::string(log, 'x');
    begin_age(damaged_file(path, number));
  }
  std::vector<std::string> prune(std::optional<WallTime> at, std::uint64_t most = kNoBound) {
    std::vector<std::string> words;
    for (const auto& one : prune_damaged(path, most, at)) words.push_back(one.words());
    return words;
  }
  std::set<int> left() { return damaged_files(path); }
};

TEST_CASE_METHOD(Fixture, "The newest three damaged files are kept, and what is no such file is left alone") {
  for (const int number : {3, 8, 9, 10, 11}) make(number, 100, 50);
  std::ofstream(path + ".damaged-1-copy") << "the operator's own";
  std::ofstream(path + ".damaged-") << "another";
  std::ofstream(path + ".damaged-02") << "another";
  const auto words = prune(std::nullopt);
  CHECK(left() == std::set<int>{9, 10, 11});
  REQUIRE(words.size() == 2);
  CHECK(words[0] ==
        damaged_file(path, 3) + ", a damaged store's file of 150 bytes, is deleted: the newest 3 are kept");
  CHECK_FALSE(std::filesystem::exists(damaged_file(path, 3) + "-wal"));
  CHECK(std::filesystem::exists(damaged_file(path, 9) + "-wal"));
  CHECK(std::filesystem::exists(path + ".damaged-1-copy"));
  CHECK(prune(std::nullopt).empty());
}

TEST_CASE_METHOD(Fixture, "A damaged file is kept for 90 days from when its age is first known") {
  make(1);
  CHECK(prune(std::nullopt).empty());
  CHECK(prune(now).empty());
  make(2);
  CHECK(prune(now + days(30)).empty());
  CHECK(prune(std::nullopt).empty());
  CHECK(prune(now + days(90)).empty());
  const auto words = prune(now + days(91));
  CHECK(left() == std::set<int>{2});
  REQUIRE(words.size() == 1);
  CHECK(words[0].find("more than 90 days ago") != std::string::npos);
  CHECK(prune(now + days(121)).size() == 1);
  CHECK(left().empty());
}

TEST_CASE_METHOD(Fixture, "A clock that was wrong makes a damaged file neither immortal nor short-lived") {
  make(1);
  CHECK(prune(now + days(3650)).empty());
  CHECK(prune(now).empty());
  CHECK(prune(now + days(89)).empty());
  CHECK(prune(now + days(91)).size() == 1);
}

TEST_CASE_METHOD(Fixture, "Damaged files together take no more than the bound, but the newest is kept") {
  make(1, 300);
  make(2, 300, 400);
  make(3, 200);
  CHECK(prune(now, 1200).empty());
  SECTION("with its log one is too large, and a smaller older one still fits") {
    CHECK(prune(now, 899).size() == 1);
    CHECK(left() == std::set<int>{1, 3});
  }
  SECTION("the newest alone is larger") {
    CHECK(prune(now, 10).size() == 2);
    CHECK(left() == std::set<int>{3});
    CHECK(prune(now + days(91), 10).size() == 1);
  }
}

}  // namespace
}  // namespace tulpar::queue
