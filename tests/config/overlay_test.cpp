// SPDX-License-Identifier: Apache-2.0
#include "config/document.hpp"
#include "tests/catch.hpp"

using namespace tulpar::config;

namespace {

Node parse(std::string_view text, const char* name) {
  Problems problems;
  auto document = parse_document(text, std::make_shared<Origin>(Origin{name, {}}), problems);
  REQUIRE(document);
  return *std::move(document);
}

// A tree in one line, with the file that each scalar came from.
std::string show(const Node& node) {
  std::string out;
  if (node.kind == Node::Kind::kTable) {
    for (const auto& field : node.fields) out += field.name + '=' + show(field.value) + ' ';
    return '{' + out + '}';
  }
  if (node.kind == Node::Kind::kArray) {
    for (const auto& item : node.items) out += show(item);
    return '[' + out + ']';
  }
  return node.text + node.origin->name;
}

std::string overlaid(std::string_view base, std::string_view over) {
  return show(overlay(parse(base, "'"), parse(over, "\"")));
}

}  // namespace

TEST_CASE("tables merge key by key, and values remember their file") {
  CHECK(overlaid("a = 1\nb = 2\n[t]\nx = 1\ny = 2\n", "b = 3\nc = 4\n[t]\ny = 5\n[u]\nz = 6") ==
        R"({a=1' b=3" c=4" t={x=1' y=5" } u={z=6" } })");
  CHECK(overlaid("", "a = 1") == R"({a=1" })");
  CHECK(overlaid("a = 1", "") == "{a=1' }");
}

TEST_CASE("inline tables are values") {
  CHECK(overlaid("[t]\nc = { a = 1, b = 2 }", "[t]\nc = { b = 3 }") == R"({t={c={b=3" } } })");
  CHECK(overlaid("t = { a = 1, b = 2 }", "[t]\nb = 3") == R"({t={a=1' b=3" } })");
}

TEST_CASE("classes and links merge by name, a link without one is the only one") {
  CHECK(overlaid("[[class]]\nname = \"a\"\nx = 1\ny = 1\n[[class]]\nname = \"b\"",
                 "[[class]]\nname = \"c\"\n[[class]]\nname = \"a\"\ny = 2") ==
        R"({class=[{name=a" x=1' y=2" }{name=b' }{name=c" }] })");
  CHECK(overlaid("[[link]]\nrate = 1", "[[link]]\nname = \"sat\"\nplan = \"p\"") ==
        R"({link=[{name=sat" plan=p" rate=1' }] })");
  CHECK(overlaid("[[link]]\nplan = \"p\"", "[[link]]\n[link.plan]\nx = 1") == R"({link=[{plan={x=1" } }] })");
}

TEST_CASE("other lists are replaced, or nothing could be taken out of them") {
  CHECK(overlaid("[[channel]]\nname = \"a\"\n[[channel]]\nname = \"b\"", "[[channel]]\nname = \"a\"") ==
        R"({channel=[{name=a" }] })");
  CHECK(overlaid("a = [1, 2]", "a = []") == "{a=[] }");
}

TEST_CASE("what has another type is replaced") {
  CHECK(overlaid("a = 1", "[a]\nb = 1") == R"({a={b=1" } })");
  CHECK(overlaid("[a]\nb = 1", "a = 1") == R"({a=1" })");
  CHECK(overlaid("class = 1", "[[class]]\nname = \"a\"") == R"({class=[{name=a" }] })");
  CHECK(overlaid("[[class]]\nname = 1", "[[class]]\nname = \"a\"") == R"({class=[{name=a" }] })");
}
