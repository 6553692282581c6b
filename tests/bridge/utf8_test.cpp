// SPDX-License-Identifier: Apache-2.0
#include "bridge/utf8.hpp"

#include "tests/catch.hpp"

using namespace tulpar::bridge;
using namespace std::string_view_literals;

TEST_CASE("utf8: the first and last code point of every length are taken whole") {
  const std::pair<std::string_view, char32_t> points[] = {
      {"\0"sv, 0},
      {"\x7f", 0x7f},
      {"\xc2\x80", 0x80},
      {"\xdf\xbf", 0x7ff},
      {"\xe0\xa0\x80", 0x800},
      {"\xed\x9f\xbf", 0xd7ff},
      {"\xee\x80\x80", 0xe000},
      {"\xef\xbf\xbf", 0xffff},
      {"\xf0\x90\x80\x80", 0x10000},
      {"\xf4\x8f\xbf\xbf", 0x10ffff},
  };
  for (const auto& [bytes, point] : points) {
    auto rest = bytes;
    CHECK(take_code_point(rest) == point);
    CHECK(rest.empty());
  }
}

TEST_CASE("utf8: what RFC 3629 forbids is refused and left where it stands") {
  const std::string_view bad[] = {
      "\x80",              // a continuation alone
      "\xc0\x80",          // overlong NUL
      "\xc1\xbf",          // overlong DEL
      "\xe0\x9f\xbf",      // overlong U+07FF
      "\xf0\x8f\xbf\xbf",  // overlong U+FFFF
      "\xed\xa0\x80",      // the first surrogate
      "\xed\xbf\xbf",      // the last one
      "\xf4\x90\x80\x80",  // beyond U+10FFFF
      "\xf8\x88\x80\x80\x80",
      "\xff",
      "\xc3",          // cut short
      "\xe2\x82",      // cut short
      "\xf0\x9f\x91",  // cut short
      "\xe2\x28\xa1",  // no continuation
  };
  for (const auto bytes : bad) {
    auto rest = bytes;
    CHECK_FALSE(take_code_point(rest));
    CHECK(rest == bytes);
    CHECK_FALSE(valid_utf8("before" + std::string(bytes)));
  }
  std::string_view nothing;
  CHECK_FALSE(take_code_point(nothing));
  CHECK(valid_utf8(nothing));
  CHECK(valid_utf8("Тұлпар 👍"));
}

TEST_CASE("utf8: a prefix never cuts a code point") {
  CHECK(utf8_prefix("abc", 3) == "abc");
  CHECK(utf8_prefix("abc", 2) == "ab");
  CHECK(utf8_prefix("aé", 2) == "a");
  CHECK(utf8_prefix("👍👍", 7) == "👍");
  CHECK(utf8_prefix("👍", 3).empty());
  CHECK(utf8_prefix("\x80\x80\x80", 2).empty());
}
