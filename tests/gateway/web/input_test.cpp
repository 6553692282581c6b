// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/input.hpp"

#include <array>

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {

template <class Reader>
std::string complaint(Reader& reader) {
  const auto read = reader.finish();
  return read ? "" : read.error().message;
}

}  // namespace

TEST_CASE("a query's parameters are read by type") {
  const std::vector<std::pair<std::string, std::string>> given = {
      {"text", "a b"}, {"number", "-5"}, {"choice", "up"}, {"time", "60"}, {"empty", ""}};
  static constexpr std::array<std::string_view, 2> kChoices = {"up", "down"};
  QueryReader query(given);
  CHECK(query.text("text", 3) == "a b");
  CHECK(query.integer("number", -5, 5) == -5);
  CHECK(query.choice("choice", kChoices) == "up");
  CHECK(query.time("time") == WallTime(std::chrono::minutes(1)));
  CHECK_FALSE(query.text("empty", 3));
  CHECK_FALSE(query.integer("absent", 0, 1));
  CHECK(complaint(query).empty());
}

TEST_CASE("the first complaint is kept, a wrong field reads as absent") {
  const std::vector<std::pair<std::string, std::string>> given = {{"a", "9"}, {"b", "x"}};
  QueryReader query(given);
  CHECK_FALSE(query.integer("a", 0, 8));
  CHECK_FALSE(query.integer("b", 0, 8));
  CHECK(complaint(query) == "`a` must be a whole number from 0 to 8");
}

TEST_CASE("an unknown name comes first: it explains what is missing") {
  BodyReader body(R"({"topc":"a"})");
  body.text("topic", 10);
  body.require("topic");
  CHECK(complaint(body) == R"("topc" is not known here; allowed are: topic)");
  BodyReader nothing(R"({"a":1})");
  CHECK(complaint(nothing) == R"("a" is not known here; nothing is expected)");
}

TEST_CASE("hostile names are shown harmlessly") {
  BodyReader body("{\"\\u001b[2J" + std::string(5000, 'x') + "\":1}");
  const auto said = complaint(body);
  CHECK(said.size() < 200);
  CHECK(said.find('\x1b') == std::string::npos);
}

TEST_CASE("a body is an object, nested eight deep at most") {
  const auto said = [](const std::string& text) {
    BodyReader body(text);
    body.has("a");
    return complaint(body);
  };
  CHECK(said("").empty());
  CHECK(said("{}").empty());
  CHECK(said(" {} \n").empty());
  for (const auto* text : {"[]", "null", "1", "{", "{}{}", "{'a':1}", "{\"a\":1,}", "{\"a\":01}", "{\"a\":NaN}",
                           "\xef\xbb\xbf{}", "{\"a\":\"\xc3\"}", "{\"a\":\"\x01\"}", "//\n{}"}) {
    INFO(text);
    CHECK_THAT(said(text), StartsWith("`body`"));
  }
  const auto nested = [](int depth) {
    return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  BodyReader eight(nested(7)), nine(nested(8));
  CHECK(eight.has("a"));
  CHECK_FALSE(nine.has("a"));
  CHECK_THAT(complaint(nine), StartsWith("`body`"));
}

TEST_CASE("numbers keep their exactness") {
  const auto money = [](const std::string& text) {
    BodyReader body("{\"m\":" + text + "}");
    return body.money("m");
  };
  CHECK(money("0.1") == 100'000'000);
  CHECK(money("123456.123456789") == 123'456'123'456'789);
  CHECK(money("\"123456789.123456789\"") == 123'456'789'123'456'789);
  CHECK(money("0") == 0);
  CHECK(money("1e2") == 100'000'000'000);
  for (const auto* text : {"-1", "1e30", "0.0000000001", "\"\"", "\"1,5\"", "[]", "true", "{}"}) {
    INFO(text);
    CHECK_FALSE(money(text));
  }
  BodyReader body(R"({"i":9007199254740993,"f":1.0,"u":18446744073709551615})");
  CHECK(body.integer("i", 0, INT64_MAX) == 9'007'199'254'740'993);
  CHECK_FALSE(body.integer("u", 0, INT64_MAX));
}

TEST_CASE("bytes in base64 have one spelling") {
  BodyReader body(R"({"good":"AAEC","long":"AAECAw==","bad":"AAE","number":1})");
  CHECK(body.base64("good", 3) == Bytes{0, 1, 2});
  CHECK_FALSE(body.base64("long", 3));
  CHECK_FALSE(body.base64("bad", 3));
  CHECK_FALSE(body.base64("number", 3));
  CHECK_THAT(complaint(body), StartsWith("`long` must be base64"));
}
