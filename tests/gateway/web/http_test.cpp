// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/http.hpp"

#include <boost/json.hpp>

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::web;
using Pairs = std::vector<std::pair<std::string, std::string>>;
using Path = std::vector<std::string>;

TEST_CASE("a target is taken apart") {
  const auto path = [](const char* text) { return parse_target(text).value().path; };
  CHECK(path("/") == Path{});
  CHECK(path("/a/b") == Path{"a", "b"});
  CHECK(path("/a/") == Path{"a", ""});
  CHECK(path("//") == Path{"", ""});
  CHECK(path("/a%2Fb/%D3%98") == Path{"a/b", "Ә"});
  CHECK(path("/a+b") == Path{"a+b"});
  CHECK(path("http://host:80/a?b") == Path{"a"});
  CHECK(path("https://host") == Path{});
}

TEST_CASE("a query is taken apart") {
  const auto query = [](const char* text) { return parse_target(text).value().query; };
  CHECK(query("/a") == Pairs{});
  CHECK(query("/a?") == Pairs{});
  CHECK(query("/a?b=c&d=e%3D+f&&g&h=") == Pairs{{"b", "c"}, {"d", "e= f"}, {"g", ""}, {"h", ""}});
  CHECK(query("/a?b=c=d?e") == Pairs{{"b", "c=d?e"}});
}

TEST_CASE("a target that is none is refused") {
  for (const std::string text :
       {"", "a", "*", "/%", "/%4", "/%4g", "/%00", "/a?b=%", "/a?%0=1", "example.org:80"}) {
    INFO(text);
    CHECK_FALSE(parse_target(text).has_value());
  }
  CHECK(parse_target("/" + std::string(2047, 'a')).has_value());
  CHECK_FALSE(parse_target("/" + std::string(2048, 'a')).has_value());
}

TEST_CASE("header names have no case, their first value counts") {
  Headers headers;
  headers.add("Content-Type", "a");
  headers.add("content-type", "b");
  CHECK(headers.find("CONTENT-TYPE") == "a");
  CHECK_FALSE(headers.find("Content-Typ"));
}

TEST_CASE("a problem document") {
  const auto response = problem(413, "the body may have at most \"9\" bytes");
  const auto document = boost::json::parse(response.body).as_object();
  CHECK(document.at("type") == "about:blank");
  CHECK(document.at("title") == "Content Too Large");
  CHECK(document.at("status") == 413);
  CHECK(document.at("detail") == "the body may have at most \"9\" bytes");
  CHECK(response.headers.find("Content-Type") == "application/problem+json");
}

TEST_CASE("dates as HTTP writes them") {
  CHECK(http_date(WallTime{}) == "Thu, 01 Jan 1970 00:00:00 GMT");
  CHECK(http_date(WallTime(std::chrono::seconds(784'111'777))) ==
        "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110's example
}

TEST_CASE("a fixed body takes the place of the other") {
  Response response{.body = "a"};
  CHECK(response.content() == "a");
  response.fixed = "b";
  CHECK(response.content() == "b");
}
