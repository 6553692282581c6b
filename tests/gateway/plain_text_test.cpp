// SPDX-License-Identifier: Apache-2.0
#include "gateway/plain_text.hpp"

#include <boost/json.hpp>

#include "tests/catch.hpp"

namespace tulpar {
namespace {

std::string shown(const char* text) { return plain_text(boost::json::parse(text)); }

}  // namespace

TEST_CASE("keys and values, nested ones indented, what is unknown left out") {
  CHECK(shown(R"({"name":"roof","uptime_s":5,"note":null,"clock":{"trusted":true}})") ==
        "name: roof\n"
        "uptime_s: 5\n"
        "clock:\n"
        "  trusted: yes\n");
}

TEST_CASE("a list of objects is a table: numbers to the right, columns as they come up") {
  CHECK(shown(R"({"classes":[{"name":"emergency","queued":0,"oldest_s":null,"plan":{"a":1}},
                             {"name":"bulk","queued":1250,"oldest_s":3.5}]})") ==
        "classes:\n"
        "  name       queued  oldest_s\n"
        "  emergency       0\n"
        "  bulk         1250       3.5\n");
}

TEST_CASE("a fraction is short, and never an exponent") {
  CHECK(shown("5.009E0") == "5.01\n");
  CHECK(shown("2.984E-3") == "0\n");
  CHECK(shown("0.5") == "0.5\n");
  CHECK(shown("0E0") == "0\n");
  CHECK(shown("-0.001") == "0\n");
  CHECK(shown("1234567.89") == "1234568\n");
}

TEST_CASE("an empty list says so, a list of words is a line each") {
  CHECK(shown(R"({"messages":[],"notes":["one","two"]})") ==
        "messages: none\n"
        "notes:\n"
        "  one\n"
        "  two\n");
}

TEST_CASE("letters of more than a byte keep the columns straight") {
  CHECK(shown(R"([{"topic":"Сәлем","bytes":9},{"topic":"x","bytes":10}])") ==
        "topic  bytes\n"
        "Сәлем      9\n"
        "x         10\n");
}

TEST_CASE("mixed columns are text") {
  CHECK(shown(R"([{"a":1},{"a":"none"}])") ==
        "a\n"
        "1\n"
        "none\n");
}

}  // namespace tulpar
