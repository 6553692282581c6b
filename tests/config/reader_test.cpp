// SPDX-License-Identifier: Apache-2.0
#include "config/reader.hpp"

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::config;
using namespace std::chrono_literals;

namespace {

// Reads a document with the given steps; what was told about it.
std::string told(std::string_view text, const TableReader::Visit& read) {
  Context context;
  const auto document =
      parse_document(text, std::make_shared<Origin>(Origin{"f", "/etc/tulpar"}), context.problems);
  REQUIRE(document);
  TableReader reader(*document, "", "", context);
  read(reader);
  reader.finish();
  std::string out;
  for (const auto& problem : context.problems.take("f")) out += explain(problem) + '\n';
  return out;
}

}  // namespace

TEST_CASE("values of the right type and range are returned without a word") {
  CHECK(told(R"(t = "x"
b = true
i = -3
n = 0.5
whole = 1
d = "10s"
s = "1kB"
r = "9600bit/s"
m = 1_000.05
text_money = "0.05"
at = "07:30"
day = 2026-11-01
list = ["a", "b"]
key = "AQ=="
file = "../x/./y"
absolute = "/x"
none = "")",
             [](TableReader& t) {
               CHECK(t.text("t").value() == "x");
               CHECK(t.boolean("b").value());
               CHECK(t.integer("i", -3, 3).value() == -3);
               CHECK(t.number("n", 0, 0.5).value() == 0.5);
               CHECK(t.number("whole", 0, 1).value() == 1);
               CHECK(t.duration("d", 0s, 10s).value() == 10s);
               CHECK(t.size("s", 1000, 2000).value() == 1000);
               CHECK(t.rate("r", 1, 10'000).value() == 9600);
               CHECK(t.money("m").value() == 1'000'050'000'000);
               CHECK(t.money("text_money").value() == 50'000'000);
               CHECK(t.time_of_day("at").value() == 450);
               CHECK(t.date("day").value() == "2026-11-01");
               CHECK(t.texts("list", nullptr, 2).value() == std::vector<std::string>{"a", "b"});
               CHECK(t.base64_secret("key").value() == Bytes{1});
               CHECK(t.path("file").value() == "/etc/x/y");
               CHECK(t.path("absolute").value() == "/x");
               CHECK(t.path("none").value().empty());
               CHECK_FALSE(t.text("absent"));
               CHECK_FALSE(t.texts("absent", nullptr, 1));
             })
            .empty());
}

TEST_CASE("a wrong type is told with what is allowed") {
  const auto wrong = [](std::string_view value, auto read) {
    return told("k = " + std::string(value), [&](TableReader& t) { CHECK_FALSE(read(t)); });
  };
  CHECK(wrong("1", [](auto& t) { return t.text("k"); }) == "f:1: k = 1: must be text in quotes\n");
  CHECK(wrong("\"1\"", [](auto& t) { return t.integer("k", 1, 9); }) ==
        "f:1: k = \"1\": must be a whole number, 1 to 9\n");
  CHECK(wrong("10", [](auto& t) { return t.integer("k", 1, 9); }) ==
        "f:1: k = 10: must be a whole number, 1 to 9\n");
  CHECK(wrong("1.0", [](auto& t) { return t.integer("k", 1, 9); }) ==
        "f:1: k = 1.0: must be a whole number, 1 to 9\n");
  CHECK(wrong("nan", [](auto& t) { return t.number("k", 0, 1); }) ==
        "f:1: k = nan: must be a number, 0 to 1\n");
  CHECK(wrong("inf", [](auto& t) { return t.number("k", 0, 1); }) ==
        "f:1: k = inf: must be a number, 0 to 1\n");
  CHECK(wrong("10", [](auto& t) { return t.duration("k", 1s, 60s); }) ==
        "f:1: k = 10: must be text in quotes, a number with its unit (1s to 1min)\n");
  CHECK(wrong("\"0s\"", [](auto& t) { return t.duration("k", 1s, 60s); }) ==
        "f:1: k = \"0s\": out of range; allowed is 1s to 1min\n");
  CHECK(wrong("\"yes\"", [](auto& t) { return t.boolean("k"); }) ==
        "f:1: k = \"yes\": must be true or false, without quotes\n");
  CHECK(wrong("-0.01", [](auto& t) { return t.money("k"); }) == "f:1: k = -0.01: must not be negative\n");
  CHECK(wrong("true", [](auto& t) { return t.money("k"); }).starts_with("f:1: k = true: not a price"));
  CHECK(wrong("5e2", [](auto& t) { return t.money("k"); }).starts_with("f:1: k = 5e2: not a price"));
  CHECK(wrong("\"2026-11-01\"", [](auto& t) { return t.date("k"); }).find("without quotes") !=
        std::string::npos);
  CHECK(wrong("07:30:00", [](auto& t) { return t.time_of_day("k"); }).find("in quotes") != std::string::npos);
  CHECK(wrong("[\"a\", 1]", [](auto& t) { return t.texts("k", nullptr, 9); }) ==
        "f:1: k[2] = 1: must be text in quotes\n");
  CHECK(wrong("[\"a\", \"b\"]", [](auto& t) { return t.texts("k", nullptr, 1); }) ==
        "f:1: k: too many; 1 are allowed\n");
  CHECK(wrong("\"c\"", [](auto& t) {
          constexpr std::string_view kWords[] = {"a", "b"};
          return t.template choice<int>("k", kWords);
        }) == "f:1: k = \"c\": must be one of \"a\", \"b\"\n");
}

TEST_CASE("control characters are allowed nowhere, and never shown raw") {
  const auto out = told("k = \"a\\u001b[31mb\"\nl = [\"\\n\"]", [](TableReader& t) {
    CHECK_FALSE(t.text("k"));
    CHECK_FALSE(t.texts("l", nullptr, 1));
  });
  CHECK(out ==
        "f:1: k = \"a\\u001B[31mb\": control characters are not allowed\n"
        "f:2: l[1] = \"\\u000A\": control characters are not allowed\n");
}

TEST_CASE("an unknown key names the nearest known one, but not its value") {
  const auto out = told("hots = \"s3cret\"\n\"\\u0007\" = 1\n[t]\nx = 1", [](TableReader& t) {
    t.text("host");
    t.integer("port", 1, 2);
    t.table("t", [](TableReader& sub) { sub.text("y"); });
  });
  CHECK(out ==
        "f:1: hots: unknown key; the nearest known one is \"host\" (known here: host, port, t)\n"
        "f:2: \"\\u0007\": unknown key; the nearest known one is \"t\" (known here: host, port, t)\n"
        "f:4: [t] x: unknown key; the nearest known one is \"y\" (known here: y)\n");
}

TEST_CASE("tables and lists of tables are told apart, and named as they are written") {
  const auto visit = [](TableReader& sub) { sub.integer("x", 0, 1); };
  const auto read = [&](TableReader& t) {
    t.table("one", visit);
    t.tables("many", 2, visit);
  };
  CHECK(told("[one]\nx = 1\n[[many]]\nx = 0\n[[many]]\nx = 1", read).empty());
  CHECK(told("[[one]]\nx = 1", read) == "f:1: one: must be a table, written [one] and there once\n");
  CHECK(told("[many]\nx = 1", read) == "f:1: many: must be a list of tables, each written [[many]]\n");
  CHECK(told("many = [1]", read).find("many[1] = 1: must be") != std::string::npos);
  CHECK(told("[[many]]\n[[many]]\nx = 2", read) == "f:3: [[many]] x = 2: must be a whole number, 0 to 1\n");
  CHECK(told("many = [{}, { x = 2 }]", read) == "f:1: many[2].x = 2: must be a whole number, 0 to 1\n");
  CHECK(told("one = { x = 2 }", read) == "f:1: one.x = 2: must be a whole number, 0 to 1\n");
  CHECK(told("[[many]]\n[[many]]\n[[many]]", read) == "f:1: many: too many; 2 are allowed\n");
}

TEST_CASE("secrets are in no message") {
  const auto out = told("p = 12345\nq = \"not base64\"\nr = \"c\\u0007\"", [](TableReader& t) {
    t.secret("p");
    t.base64_secret("q");
    t.secret("r");
    t.error("q", "another");
  });
  CHECK(out.find("12345") == std::string::npos);
  CHECK(out.find("not base64\"") == std::string::npos);
  CHECK(out.find("u0007") == std::string::npos);
  CHECK(std::count(out.begin(), out.end(), '\n') == 4);
}

TEST_CASE("what is missing is told at its table") {
  CHECK(told("\n[[t]]\na = 1", [](TableReader& t) {
          t.require("name", "\"x\"");
          t.tables("t", 1, [](TableReader& sub) {
            sub.require("b", "2");
            sub.integer("a", 0, 1);
          });
        }) == "f: name: missing; write e.g. name = \"x\"\nf:2: [[t]] b: missing; write e.g. b = 2\n");
}
