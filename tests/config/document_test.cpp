// SPDX-License-Identifier: Apache-2.0
#include "config/document.hpp"

#include "tests/catch.hpp"

using namespace tulpar::config;
using Kind = Node::Kind;

namespace {

Node parse(std::string_view text) {
  Problems problems;
  auto document = parse_document(text, std::make_shared<Origin>(Origin{"f", "/dir"}), problems);
  REQUIRE(document);
  return *std::move(document);
}

std::string refusal(std::string_view text) {
  Problems problems;
  CHECK_FALSE(parse_document(text, std::make_shared<Origin>(Origin{"f", {}}), problems));
  const auto all = problems.take("f");
  REQUIRE(all.size() == 1);
  return explain(all.front());
}

const Node& at(const Node& table, std::string_view key) {
  const Node* node = table.find(key);
  REQUIRE(node);
  return *node;
}

}  // namespace

TEST_CASE("values keep their type, text and line") {
  const auto root =
      parse("s = \"a\\tb\"\ni = 0x1F\nd = 5.10\nb = true\nday = 2026-11-01\nt = 07:30:00\n[x]\ny = 1");
  CHECK(root.line == 0);
  CHECK((at(root, "s").kind == Kind::kString && at(root, "s").text == "a\tb"));
  CHECK((at(root, "i").kind == Kind::kInteger && at(root, "i").integer == 31 && at(root, "i").text == "0x1F"));
  CHECK((at(root, "d").kind == Kind::kDecimal && at(root, "d").text == "5.10" && at(root, "d").line == 3));
  CHECK((at(root, "b").kind == Kind::kBoolean && at(root, "b").boolean));
  CHECK((at(root, "day").kind == Kind::kDate && at(root, "day").text == "2026-11-01"));
  CHECK((at(root, "t").kind == Kind::kTime && at(root, "t").text == "07:30:00"));
  CHECK((at(root, "x").kind == Kind::kTable && at(root, "x").line == 7));
  // The last value of a file without a final newline.
  CHECK(at(at(root, "x"), "y").text == "1");
  CHECK(at(root, "s").origin->name == "f");
  CHECK(root.find("z") == nullptr);
}

TEST_CASE("numbers are taken from their digits wherever they stand") {
  const auto root = parse(
      "\xEF\xBB\xBF\"жаңбыр\" = 1.10 # ж\r\na = [ 1.20,-1_0.30 , +2e2,\n  1.40]\nb = { \"é\" = 1.50, c = [{ d "
      "= 1.60 }] }");
  CHECK(at(root, "жаңбыр").text == "1.10");
  std::string digits;
  for (const auto& item : at(root, "a").items) digits += item.text + '|';
  CHECK(digits == "1.20|-1_0.30|+2e2|1.40|");
  CHECK(at(root, "a").items[3].line == 3);
  CHECK(at(at(root, "b"), "é").text == "1.50");
  CHECK(at(at(at(root, "b"), "c").items[0], "d").text == "1.60");
}

TEST_CASE("inline tables are told from sections") {
  const auto root = parse("a = { b = 1 }\nc.d = 1\n[e]\n[[f]]\n");
  CHECK(at(root, "a").is_inline);
  CHECK_FALSE(at(root, "c").is_inline);
  CHECK_FALSE(at(root, "e").is_inline);
  CHECK_FALSE(at(root, "f").items[0].is_inline);
}

TEST_CASE("what the parser must not see is told with its line, too") {
  CHECK(refusal("a = 1\n[&]\n") == "f:2: not TOML: a table is written [name] or [[name]]");
  CHECK(refusal("\xEF\xBB\xBFrate = “9600bit/s”") ==
        "f:1: not TOML: only ASCII may stand outside quotes (mind typographic quotes and spaces)");
}

TEST_CASE("what is no TOML is told with its line") {
  const std::string rest = "\nb = 1\n";
  for (const auto* line :
       {"rate = 9600bit/s", "a = ", "a = \"x", "a b = 1", "[a", "a = 1\na = 2", "a = tru", "a = \"\\q\"",
        "a = 99999999999999999999", "a = [1, 2", "= 1", "a = \"\x01\"", "\xff = 1"}) {
    CAPTURE(line);
    const auto told = refusal("# one\n" + (line + rest));
    CHECK(told.starts_with("f:"));
    CHECK(told.find("not TOML") != std::string::npos);
  }
  CHECK(refusal("a = 1\n\nrate = 9600bit/s\n").starts_with("f:3: not TOML"));
}
