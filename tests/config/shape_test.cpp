// SPDX-License-Identifier: Apache-2.0
#include "config/shape.hpp"

#include "tests/catch.hpp"

using namespace tulpar::config;

namespace {

// The line of the first flaw; 0: there is none.
int flaw(std::string_view text) {
  const auto found = find_flaw(text);
  return found ? found->line : 0;
}

std::string repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("ordinary files have no flaw") {
  for (const auto* text :
       {"", "\n", "a = 1", "[a]\n[[b]]\n [ c . d ]\n[[ \"e\" ]]\n['f']\r\n", "# [& “…” ........ \"\"\"",
        "a = \"# ] } \\\" é\" # é\n", "a = 'é \\' # é", "a = [\n  [1],\n  [2], # ]\n]\n[b]", "a = [\n[[1]]]\n",
        "a = { b = [ { c = 1 } ] }", "a = \"\"\nb = ''"})
    CHECK(flaw(text) == 0);
}

TEST_CASE("a header without a name is a flaw, a list inside a list is not") {
  for (const auto* header : {"[", "[&", "[&]", "[]", "[ ]", "[[[a]]]", "[[=", "[[ [", " \t[,]", "[[]]", "[\t#"})
    CHECK(flaw("a = [\n[1],\n[2]]\n" + std::string(header) + "\nb = 1") == 4);
}

TEST_CASE("what is not ASCII stands in quotes or comments") {
  for (const auto* line :
       {"кілт = 1", "[кілт]", "a = “b”", "a\xC2\xA0= 1", "a = \"é\" é", "a = 'b\\' é'", "\xff", "a.é = 1"})
    CHECK(flaw("x = 1\n" + std::string(line)) == 2);
}

TEST_CASE("strings in three quotes are refused, so that a line can be read by itself") {
  CHECK(flaw("a = \"\"\"\nb\"\"\"") == 1);
  CHECK(flaw("a = ['''b''']") == 1);
  // An open string is the parser's to tell; the next line is read as a line.
  CHECK(flaw("a = \"b\n[&]") == 2);
}

TEST_CASE("nesting is bounded, over all lines, outside quotes") {
  const auto nested = [](int depth) { return "a = " + repeat("[\n", depth) + repeat("]", depth) + "\n[b]"; };
  CHECK(flaw(nested(kMaxNesting)) == 0);
  CHECK(flaw(nested(kMaxNesting + 1)) == kMaxNesting + 1);
  CHECK(flaw("a = " + repeat("{b=", kMaxNesting + 1)) == 1);
  CHECK(flaw("a = \"" + repeat("[", 1000) + "\"") == 0);
  CHECK(flaw("a = " + repeat("]", 1000)) == 0);
}

TEST_CASE("dots are bounded in each line, outside quotes") {
  CHECK(flaw(repeat("a.", kMaxDots) + "a = 1\n" + repeat("a.", kMaxDots) + "a = 1") == 0);
  CHECK(flaw("\n" + repeat("a.", kMaxDots + 1) + "a = 1") == 2);
  CHECK(flaw("[" + repeat("a . ", kMaxDots + 1) + "a]") == 1);
  CHECK(flaw("a = \"" + repeat(".", 1000) + "\" # " + repeat(".", 1000)) == 0);
}
