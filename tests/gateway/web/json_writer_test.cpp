// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/json_writer.hpp"

#include <boost/json.hpp>
#include <limits>

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {

template <class T>
std::string text_of(const T& value) {
  JsonWriter json;
  return json.value(value).take();
}

}  // namespace

TEST_CASE("objects and arrays, nested and empty") {
  JsonWriter json;
  json.object().field("a", 1).key("b").array().value(true).value("x").end().key("c").object().end();
  json.field("d", std::nullopt).end();
  CHECK(json.take() == R"({"a":1,"b":[true,"x"],"c":{},"d":null})");
  JsonWriter rows;
  rows.array().object().end().object().field("n", 2).end().end();
  CHECK(rows.take() == R"([{},{"n":2}])");
}

TEST_CASE("numbers as people write them") {
  CHECK(text_of(0.5) == "0.5");
  CHECK(text_of(36.0) == "36");
  CHECK(text_of(std::numeric_limits<double>::infinity()) == "null");
  CHECK(text_of(std::numeric_limits<double>::quiet_NaN()) == "null");
  CHECK(text_of(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
  CHECK(text_of(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
  CHECK(text_of(std::optional<int>()) == "null");
  JsonWriter json;
  json.array().money(1'250'000'000).money(-1).end();
  CHECK(json.take() == "[1.25,-0.000000001]");
}

TEST_CASE("texts are escaped and read back") {
  const std::string hard = "\"\\/\n\r\t\b\x01\x7f ә € 🦄 </script>";
  CHECK(boost::json::parse(text_of(hard)).as_string() == hard);
  CHECK(text_of(std::string("a\0b", 3)) == R"("a\u0000b")");
  CHECK(text_of("tab\t") == R"("tab\t")");
}

TEST_CASE("what is not UTF-8 becomes U+FFFD, byte by byte") {
  const std::string bad = "\xEF\xBF\xBD";
  const auto read = [](const std::string& raw) {
    return std::string(boost::json::parse(text_of(raw)).as_string());
  };
  CHECK(read("a\xff"
             "b") == "a" + bad + "b");
  CHECK(read("\xC0\xAF") == bad + bad);                      // overlong
  CHECK(read("\xE0\x9F\xBF") == bad + bad + bad);            // overlong
  CHECK(read("\xED\xA0\x80") == bad + bad + bad);            // surrogate
  CHECK(read("\xF4\x90\x80\x80") == bad + bad + bad + bad);  // above U+10FFFF
  CHECK(read("\xF5\x80") == bad + bad);
  CHECK(read("\xE2\x82") == bad + bad);  // cut short
  CHECK(read("\xE2\x82x") == bad + bad + "x");
  CHECK(read("\xF4\x8F\xBF\xBF") == "\xF4\x8F\xBF\xBF");
  CHECK(read("\xED\x9F\xBF\xEE\x80\x80") == "\xED\x9F\xBF\xEE\x80\x80");
}

TEST_CASE("every two bytes make valid JSON") {
  for (int first = 0; first < 256; ++first)
    for (int second = 0; second < 256; ++second) {
      const std::string raw{static_cast<char>(first), static_cast<char>(second)};
      boost::system::error_code error;
      boost::json::parse(text_of(raw), error);
      if (error) FAIL(first << ' ' << second << ": " << error.message());
    }
}

TEST_CASE("an empty text is null where there is nothing to say") {
  JsonWriter json;
  json.object().text_or_null("a", "").text_or_null("b", "x").end();
  CHECK(json.take() == R"({"a":null,"b":"x"})");
}
