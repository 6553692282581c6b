// SPDX-License-Identifier: Apache-2.0
#include "tests/catch.hpp"
#include "tests/config/loading.hpp"

using namespace tulpar::config;
using namespace std::chrono_literals;

namespace {

std::string order(const Gateway& gateway) {
  std::string out;
  for (const auto& cls : gateway.classes) out += cls.name + ' ';
  return out;
}

}  // namespace

TEST_CASE("a table changes what it says of a default class, nothing else") {
  const auto got = gateway("[[class]]\nname = \"telemetry\"\nhold = \"5s\"\n");
  auto expected = default_classes();
  expected[3].hold = 5s;
  CHECK(got.classes == expected);
}

TEST_CASE("a new class is a copy of normal, before bulk or where it says") {
  const auto got = gateway(R"([[class]]
name = "weather"
weight = 7
minimum_share = 0.1
hold = "5min"
ttl = "2h"
latest_only = true
over_quota = "slowed-first"
[[class]]
name = "medical"
after = "emergency"
[[class]]
name = "log"
after = "bulk"
[[class]]
name = "last"
)");
  CHECK(order(got) == "emergency medical message normal telemetry weather last bulk log ");
  CHECK(got.classes[5] == MessageClass{"weather", 7, 0.1, 5min, 2h, true, OverQuota::kSlowedFirst});
  auto copy = default_classes()[2];
  copy.name = "medical";
  CHECK(got.classes[1] == copy);
}

TEST_CASE("a default class can be moved") {
  const auto got =
      gateway("[[class]]\nname = \"bulk\"\nafter = \"emergency\"\nhold = \"1s\"\n[[class]]\nname = \"new\"\n");
  CHECK(order(got) == "emergency new bulk message normal telemetry ");
  CHECK(got.classes[2].hold == 1s);
}

TEST_CASE("emergency cannot be bent, and nothing else is as free") {
  CHECK(gateway("[[class]]\nname = \"emergency\"\nweight = 1000\n").classes[0].weight == 1000);
  const auto* bent = GENERATE("hold = \"1s\"\nttl = \"1d\"", "ttl = \"1d\"", "latest_only = true",
                              "over_quota = \"paced\"", "after = \"bulk\"");
  CAPTURE(bent);
  CHECK(has(told_of(std::string("[[class]]\nname = \"emergency\"\n") + bent),
            "emergency stays first, never waits"));
  CHECK(has(told_of("[[class]]\nname = \"message\"\nover_quota = \"always\""), "only emergency always goes"));
}

TEST_CASE("classes that make no sense are refused") {
  CHECK(has(told_of("[[class]]\nhold = \"1s\""), "[[class]] name: missing"));
  CHECK(has(told_of("[[class]]\nname = \"a\"\n[[class]]\nname = \"a\""),
            "g:8: [[class]] name = \"a\": given twice"));
  CHECK(has(told_of("[[class]]\nname = \"a\"\nafter = \"bulky\""),
            "after = \"bulky\": no such class; the nearest is \"bulk\""));
  CHECK(has(told_of("[[class]]\nname = \"a\"\nafter = \"a\""), "no such class"));
  CHECK(has(told_of("[[class]]\nname = \"a\"\nhold = \"10s\"\nttl = \"10s\""),
            "ttl = \"10s\": must be longer than hold"));
  CHECK(has(told_of("[[class]]\nname = \"a\"\nweight = 0"), "a whole number, 1 to 1000"));
  CHECK(has(told_of("[[class]]\nname = \"a\"\nminimum_share = 0.6"), "a number, 0 to 0.5"));
  CHECK(
      has(told_of("[[class]]\nname = \"a\"\nminimum_share = 0.5\n[[class]]\nname = \"b\"\nminimum_share = 0.4"),
          "minimum_share of all classes together is 1.1; at most 1"));
  CHECK(has(told_of("[[class]]\nname = \"a\"\nover_quota = \"never\""),
            "must be one of \"always\", \"to-the-end\", \"paced\", \"slowed-first\", \"left-over\""));
}

TEST_CASE("there are at most as many classes as fit") {
  const auto many = [](int count) {
    std::string out;
    for (int i = 0; i < count; ++i)
      out += "[[class]]\nminimum_share = 0\nname = \"c" + std::to_string(i) + "\"\n";
    return out;
  };
  CHECK(told_of(many(27)).empty());
  CHECK(has(told_of(many(28)), "33 classes with the default ones; at most 32"));
}

TEST_CASE("rules arrive with every condition") {
  const auto got = gateway(R"([[rule]]
topic = "mesh/+/sos"
class = "emergency"
node = 3
port = 67
channel = "LongFast"
from = "!7EFEEE00"
min_size = "1B"
max_size = "1kB"
[[rule]]
drop = true
)");
  REQUIRE(got.rules.size() == 2);
  const auto& rule = got.rules[0];
  CHECK((rule.topic == "mesh/+/sos" && rule.cls == "emergency" && !rule.drop && rule.node == 3 &&
         rule.port == 67u));
  CHECK((rule.channel == "LongFast" && rule.from == "!7efeee00" && rule.min_size == 1u &&
         rule.max_size == 1000u));
  CHECK((got.rules[1].drop && got.rules[1].cls.empty() && got.rules[1].topic == "#"));
}

TEST_CASE("a rule that no subscription can reach is told of") {
  const auto warned = [](std::string_view more) { return has(told_of(more), "warning: [[rule]] topic"); };
  CHECK(
      told_of("[[rule]]\ntopic = \"mash/+/sos\"\nclass = \"emergency\"") ==
      "g:6: warning: [[rule]] topic = \"mash/+/sos\": never matches: no filter of [mqtt] topics brings such a "
      "message\n");
  CHECK_FALSE(warned("[[rule]]\ntopic = \"mesh/+/sos\"\nclass = \"emergency\""));
  CHECK(warned("[mqtt]\ntopics = [\"msh/#\"]\n[[rule]]\ntopic = \"mesh/+/sos\"\nclass = \"emergency\""));
  CHECK_FALSE(warned("[mqtt]\ntopics = [\"mesh/a/+\"]\n[[rule]]\ntopic = \"+/+/sos\"\nclass = \"emergency\""));
  // What sources bring to a relay is below their prefix: any topic.
  CHECK(told(parse_relay(std::string(kRelay) + "[[rule]]\ntopic = \"x\"\nclass = \"bulk\"", "r").problems)
            .empty());
}

TEST_CASE("rules that make no sense are refused") {
  CHECK(told_of("[[rule]]\ntopic = \"msh/a\"") ==
        "g:5: [[rule]] class: a rule gives either a class or drop = true\n");
  CHECK(has(told_of("[[rule]]\ndrop = true\nclass = \"bulk\""), "either a class or drop = true"));
  CHECK(has(told_of("[[rule]]\nclass = \"\""), "no such class"));
  CHECK(has(told_of("[[rule]]\nclass = \"bulk\"\nnode = 0"), "1 to 32"));
  CHECK(has(told_of("[[rule]]\nclass = \"bulk\"\nport = 512"), "0 to 511"));
  CHECK(has(told_of("[[rule]]\nclass = \"bulk\"\nfrom = \"7efeee00\""), "not a node"));
  CHECK(has(told_of("[[rule]]\nclass = \"bulk\"\nmin_size = \"2B\"\nmax_size = \"1B\""), "would never match"));
  CHECK(has(told_of("[[rule]]\nclass = \"bulk\"\nmax_size = \"2MiB\""), "out of range; allowed is 0B to 1MiB"));
  CHECK(has(told_of("[[rule]]\nclass = 5"), "[[rule]] class = 5: must be text in quotes"));
}
