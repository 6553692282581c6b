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

TEST_CASE("what the parser would not take for a string, a list or a key is a flaw") {
  // It looks ahead in "0…" or "-…" for what it may be, over quotes and brackets, up to the next space or comma.
  for (const auto* line : {"a = 0\"é\"", "a = x'y'", "a\"b\" = 1", "a = \"b\" \"c\"", "a = [1 'b']",
                           "a = -1=\"é\"", "a = 1[\"é\"]", "a = 1.\"é\"", "a = [1=\"é\"]", "a = [1, 2=\"é\"]",
                           "a = 1{'é'", "a = { b = 1 = 2 }", "[a = 1]"})
    CHECK(flaw(line) == 1);
  CHECK(flaw("a = [\n1=\"é\"]") == 2);
  CHECK(flaw("a = [{ b = 1 },\n1=\"é\"]") == 2);
}

TEST_CASE("every place of a string, a list and a key is known") {
  CHECK(flaw("a = [ \"b\",'c'\n, 'd',\n 'e' ]\n'f'.g={ \"i\" = 1, 'j'=[[\"k\"],{l=1}], m = {} "
             "}\n[\"n\"]\n[['o']]\np = 1") == 0);
  CHECK(flaw("a = [\n\n  { b = 1, c = 2 },  # d\n\n  { b = 3 },\n]\n\nd = 1") == 0);
}

TEST_CASE("strings in three quotes are refused, so that a line can be read by itself") {
  CHECK(flaw("a = \"\"\"\nb\"\"\"") == 1);
  CHECK(flaw("a = ['''b''']") == 1);
  // An open string is the parser's to tell; the next line is read as a line.
  CHECK(flaw("a = \"b\n[&]") == 2);
}

TEST_CASE("nesting is bounded, over all lines, outside quotes") {
  const auto nested = [](int depth) { return "a = " + repeat("[\n", depth) + repeat("]", depth) + "\n[b]"; };
  constexpr int kMax = kMaxNesting;
  CHECK(flaw(nested(kMax)) == 0);
  CHECK(flaw(nested(kMax + 1)) == kMax + 1);
  CHECK(flaw("a = " + repeat("{b=", kMax + 1)) == 1);
  CHECK(flaw("a = \"" + repeat("[", 1000) + "\"") == 0);
  // Brackets that nothing opened leave the next line outside of lists.
  CHECK(flaw("a = " + repeat("]", 1000) + "\n[&]") == 2);
}

TEST_CASE("dots are bounded in each line, outside quotes") {
  CHECK(flaw(repeat("a.", kMaxDots) + "a = 1\n" + repeat("a.", kMaxDots) + "a = 1") == 0);
  CHECK(flaw("\n" + repeat("a.", kMaxDots + 1) + "a = 1") == 2);
  CHECK(flaw("[" + repeat("a . ", kMaxDots + 1) + "a]") == 1);
  CHECK(flaw("a = \"" + repeat(".", 1000) + "\" # " + repeat(".", 1000)) == 0);
}
