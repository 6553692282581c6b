// SPDX-License-Identifier: Apache-2.0
//
// Files that nobody writes by accident: each must end in a bounded number of clear errors, never in a crash.
#include <random>

#include "config/document.hpp"
#include "config/dump.hpp"
#include "tests/catch.hpp"
#include "tests/config/loading.hpp"

using namespace tulpar::config;

namespace {

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

// Loads it both ways; the problems of the gateway.
std::vector<Problem> load(const std::string& text) {
  const auto relay = parse_relay(text);
  CHECK(relay.ok() == std::none_of(relay.problems.begin(), relay.problems.end(),
                                   [](const auto& problem) { return problem.severity == Severity::kError; }));
  auto problems = parse_gateway(text).problems;
  CHECK(problems.size() <= Problems::kMax + 1);
  for (const auto& problem : problems) CHECK(explain(problem).size() < 2000);
  return problems;
}

}  // namespace

TEST_CASE("a file that is too large is refused before it is parsed") {
  CHECK(told(load(std::string(kMaxFile + 1, '#'))) ==
        "gateway.toml: larger than 1048576 bytes: no configuration\n");
}

TEST_CASE("deep nesting is refused in every form") {
  for (const auto* open : {"[", "{a=", "[{a=", "[[", "[\n{ a.b.c.d.e.f = "}) {
    CAPTURE(open);
    CHECK(has(told(load("a = " + repeat(open, 50'000))), "brackets inside each other"));
  }
  const auto dotted = repeat("a.", 400'000) + "a";
  for (const auto& text : {dotted + " = 1", "[" + dotted + "]", "[[" + dotted + "]]",
                           "x = { " + dotted + " = 1 }", "x = [\"#\", {" + dotted + " = 1 }]"})
    CHECK(has(told(load(text)), "too many dots in one line"));
}

TEST_CASE("the deepest tree that the bounds allow is handled") {
  const auto dotted = repeat("a.", 60) + "a";
  std::string text = "[" + dotted + "]\n" + dotted + " = ";
  for (int i = 0; i < 7; ++i) text += "[{\n" + dotted + " = ";
  text += "1" + repeat("}]", 7);
  // Whether the parser takes an inline table that begins with a newline is its affair; it must come back.
  load(text);
  for (int i = 0; i < 7; ++i) {
    const auto newline = text.find("[{\n");
    text.replace(newline, 3, "[\n{");
  }
  CHECK(has(told(load(text)), "unknown key"));
}

TEST_CASE("a row of dots in a comment is no nesting") {
  CHECK(load("# " + std::string(1000, '.') + "\n" + std::string(kGateway)).empty());
}

TEST_CASE("many keys, tables and items end in a bounded list") {
  std::string keys, tables;
  for (int i = 0; i < 50'000; ++i) keys += "k" + std::to_string(i) + " = 1\n";
  for (int i = 0; i < 50'000; ++i) tables += "[[class]]\nx = 1\n";
  CHECK(has(told(load(keys)), "more problems, not listed"));
  CHECK(has(told(load(tables)), "class: too many; 32 are allowed"));
  CHECK(has(told(load("[mqtt]\ntopics = [" + repeat("\"a\",", 200'000) + "]")), "too many; 256 are allowed"));
  CHECK(has(told(load("x = [" + repeat("1,", 500'000) + "]")), "unknown key"));
}

TEST_CASE("long keys and values are cut in messages") {
  CHECK_FALSE(load("\"" + std::string(500'000, 'k') + "\" = 1").empty());
  CHECK_FALSE(load("name = \"" + std::string(1'000'000, 'n') + "\"").empty());
  CHECK_FALSE(load("name = 0." + std::string(1'000'000, '1')).empty());
}

TEST_CASE("bytes that are no text are refused with their line") {
  for (const auto* bytes :
       {"\xff", "\xC3", "\xED\xA0\x80", "\xF8\x88\x80\x80\x80", "\xC0\xAF", "\x01", "\x7f"}) {
    CHECK(has(told(load(std::string(kGateway) + "# " + bytes + "\n")), "gateway.toml:5: not TOML"));
    CHECK(has(told(load(std::string(kGateway) + "rate = \"" + bytes + "\"\n")), "gateway.toml:5: not TOML"));
  }
  CHECK_FALSE(load(std::string(1, '\0')).empty());
}

TEST_CASE("a configuration cut at any byte is an error or a configuration") {
  Gateway whole;
  whole.name = "roof";
  whole.links.emplace_back().enrolment_file = "/x";
  whole.links[0].plan.emplace();
  whole.channels = {{"c", {1}}};
  const auto text = dump(whole);
  for (std::size_t size = 0; size < text.size(); ++size) load(text.substr(0, size));
}

TEST_CASE("a configuration with bytes changed is an error or a configuration") {
  Relay whole;
  whole.name = "r";
  whole.sinks.resize(1);
  whole.sources.resize(1);
  const auto text = dump(whole);
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    auto changed = text;
    for (int k = 0; k < 3; ++k) changed[random() % changed.size()] = "\"[]{}=.,#\n\\09-\xC3 "[random() % 16];
    load(changed);
  }
}
