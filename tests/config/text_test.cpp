// SPDX-License-Identifier: Apache-2.0
#include "config/text.hpp"

#include <random>

#include "config/document.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::config;

TEST_CASE("base64 follows RFC 4648") {
  // Its test vectors (section 10).
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    CHECK(format_base64(as_bytes(plain)) == coded);
    CHECK(as_text(parse_base64(coded).value()) == plain);
  }
}

TEST_CASE("base64 survives the way there and back") {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 100; ++size) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
    CHECK(parse_base64(format_base64(bytes)).value() == bytes);
  }
}

TEST_CASE("what is no base64, or not the only spelling, is refused") {
  for (const auto* text : {"AQ", "AQ=", "AQ===", "A===", "====", "=", "AQ==AQ==", "A Q=", "AQ==\n",
                           "AR==", "AAF=", "-_==", "\xff\xff=="})
    CHECK_FALSE(parse_base64(text).has_value());
}

TEST_CASE("quoted text is TOML and gives the text again") {
  const std::string_view texts[] = {"",
                                    "plain",
                                    "a \"b\" \\ c",
                                    "tab\there",
                                    "\x1b[31m",
                                    "line\nend\r",
                                    "жаңбыр",
                                    "\x7f",
                                    "\xC2\x9B"
                                    "1m",
                                    "\xE2\x80\xA6"};
  for (const auto text : texts) {
    const auto quoted = quote(text);
    CHECK_FALSE(has_control(quoted));
    Problems problems;
    const auto document = parse_document("k = " + quoted, std::make_shared<Origin>(), problems);
    REQUIRE(document);
    CHECK(document->find("k")->text == text);
  }
}

TEST_CASE("a long text is cut between characters") {
  std::string text(59, 'x');
  text += "жжж";
  CHECK(quote_short(text) == '"' + std::string(59, 'x') + "\"...");
  CHECK(quote_short("short") == "\"short\"");
  CHECK(printable(std::string(199, 'x') + "жж") == std::string(199, 'x') + "...");
  CHECK(printable("a \"b\" \\ \x1b") == "a \"b\" \\ \\u001B");
}

TEST_CASE("control characters are found") {
  CHECK(has_control("a\nb"));
  CHECK(has_control("\x7f"));
  CHECK(has_control("\xC2\x85"));
  CHECK_FALSE(has_control("жаңбыр \xC2\xA0"));
  CHECK_FALSE(has_control("\xC2"));
}
