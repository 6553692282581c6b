// SPDX-License-Identifier: Apache-2.0
#include "config/problem.hpp"

#include "tests/catch.hpp"

using namespace tulpar::config;

TEST_CASE("a problem is told in one line") {
  Problem problem{.file = "gateway.toml",
                  .line = 14,
                  .key = "[[link]] rate",
                  .value = "\"96bits\"",
                  .message = "not a rate; write e.g. \"9600bit/s\" (300bit/s to 1Gbit/s)"};
  CHECK(explain(problem) ==
        "gateway.toml:14: [[link]] rate = \"96bits\": not a rate; write e.g. \"9600bit/s\" (300bit/s to "
        "1Gbit/s)");
  problem.severity = Severity::kWarning;
  problem.value.clear();
  CHECK(explain(problem) ==
        "gateway.toml:14: warning: [[link]] rate: not a rate; write e.g. \"9600bit/s\" (300bit/s to 1Gbit/s)");
  CHECK(explain({.file = "x.toml", .message = "no such file"}) == "x.toml: no such file");
}

TEST_CASE("the nearest name is found") {
  constexpr std::string_view kKeys[] = {"host", "port", "topics", "username"};
  CHECK(nearest("prot", kKeys) == "port");
  CHECK(nearest("hst", kKeys) == "host");
  CHECK(nearest("topic", kKeys) == "topics");
  CHECK(nearest("user", kKeys) == "username");
  CHECK(nearest("port", kKeys) == "port");
  CHECK(nearest("", kKeys) == "host");
  CHECK(nearest("x", {}).empty());
  // Bounded, however long the key is.
  CHECK_FALSE(nearest(std::string(1 << 20, 'x'), kKeys).empty());
}

TEST_CASE("a swap of neighbours is one edit") {
  constexpr std::string_view kKeys[] = {"abxy", "abdc"};
  CHECK(nearest("abcd", kKeys) == "abdc");
}

TEST_CASE("problems come in the order of the files and lines") {
  Problems problems;
  problems.add({.severity = Severity::kWarning, .file = "b", .line = 1, .message = "4"});
  CHECK_FALSE(problems.has_errors());
  problems.add({.file = "main", .line = 9, .message = "2"});
  problems.add({.file = "main", .line = 9, .message = "3"});
  problems.add({.file = "main", .line = 1, .message = "1"});
  problems.add({.file = "a", .line = 7, .message = "x"});
  CHECK(problems.has_errors());
  std::string order;
  for (const auto& problem : problems.take("main")) order += problem.message;
  CHECK(order == "123x4");
}

TEST_CASE("what comes after the hundredth problem is counted") {
  Problems problems;
  for (std::size_t i = 0; i < Problems::kMax + 23; ++i) problems.add({.file = "f", .message = "m"});
  const auto all = problems.take("f");
  REQUIRE(all.size() == Problems::kMax + 1);
  CHECK(explain(all.back()) == "f: 23 more problems, not listed");
}
