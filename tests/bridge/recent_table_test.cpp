// SPDX-License-Identifier: Apache-2.0
#include "bridge/recent_table.hpp"

#include <string>
#include <string_view>

#include "tests/catch.hpp"

using tulpar::bridge::RecentTable;

TEST_CASE("recent table: keeps what was touched, forgets the most idle") {
  RecentTable<std::string, int> table(2);
  table.touch("a") = 1;
  table.touch("b") = 2;
  CHECK(table.touch("a") == 1);
  table.touch("c") = 3;
  CHECK(table.size() == 2);
  CHECK(table.find("b") == nullptr);
  REQUIRE(table.find("a"));
  CHECK(*table.find("a") == 1);
  CHECK(table.touch("b") == 0);
  CHECK(table.find("a") == nullptr);
}

TEST_CASE("recent table: looking does not keep") {
  RecentTable<std::string, int> table(2);
  table.touch("a") = 1;
  table.touch("b") = 2;
  CHECK(table.find("a"));
  table.touch("c") = 3;
  CHECK_FALSE(table.find("a"));
}

TEST_CASE("recent table: works on after a move, and at capacity 1") {
  RecentTable<std::string, int> first(1);
  first.touch("a") = 1;
  auto second = std::move(first);
  CHECK(second.touch("a") == 1);
  second.touch("b") = 2;
  CHECK(second.size() == 1);
  CHECK(second.touch(std::string_view("b")) == 2);
}
