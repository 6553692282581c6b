// SPDX-License-Identifier: Apache-2.0
#include "tests/catch.hpp"
#include "tests/config/loading.hpp"

using namespace tulpar::config;

namespace {

Link link(std::string_view more) { return gateway(more).links.at(0); }
Plan plan(std::string_view card) { return link("[link.plan]\n" + std::string(card)).plan.value(); }
std::string told_of_plan(std::string_view card) { return told_of("[link.plan]\n" + std::string(card)); }

}  // namespace

TEST_CASE("a monthly volume is read exactly") {
  const auto got = plan(R"(currency = "KZT"
included = "50MB"
price = 4.123456789
per = "1MiB"
over = "spend"
spend_limit = "1000"
soft_cap = 0.9
hard_cap = "60MB"
reserve = { emergency = "2MB" }
cycle = { reset_day = 31, time = "07:30", zone = "Asia/Almaty" }
)");
  Plan expected;
  expected.currency = "KZT";
  expected.included = 50'000'000;
  expected.price = 4'123'456'789;
  expected.per = 1'048'576;
  expected.soft_cap = 0.9;
  expected.hard_cap = 60'000'000;
  expected.reserve = 2'000'000;
  expected.cycle = {31, 450, "Asia/Almaty"};
  CHECK(got == expected);
}

TEST_CASE("no plan, no limit") { CHECK_FALSE(link("").plan); }

TEST_CASE("with over = hold nothing but emergency passes the included volume") {
  CHECK(plan("included = \"50MB\"").hard_cap == 50'000'000u);
  CHECK(plan("included = \"50MB\"\nhard_cap = \"60MB\"").hard_cap == 50'000'000u);
  CHECK(plan("included = \"50MB\"\nhard_cap = \"40MB\"").hard_cap == 40'000'000u);
  CHECK(has(told_of_plan("price = 1.00"), "[link.plan] included: must be more than 0B"));
  CHECK(has(told_of_plan("included = \"50\""), "not a size"));
  CHECK_FALSE(has(told_of_plan("included = \"50\""), "must be more than 0B"));
}

TEST_CASE("a spending limit becomes the volume that it buys, rounded down") {
  const auto cap = [](const char* money) {
    return plan(std::string("included = \"10MB\"\nprice = 3.00\nper = \"1MB\"\nover = \"spend\"\n") + money)
        .hard_cap;
  };
  CHECK(cap("spend_limit = 20.00") == 16'666'666u);
  CHECK(cap("spend_limit = 0.00") == 10'000'000u);
  CHECK(cap("spend_limit = 20.00\nhard_cap = \"12MB\"") == 12'000'000u);
  // The largest limit does not overflow.
  CHECK(cap("spend_limit = 9223372036.854775807") == 1'000'000'000'000'000u);
}

TEST_CASE("an open purse is told") {
  CHECK(told_of_plan("included = \"1MB\"\nprice = 1.00\nover = \"spend\"") ==
        "g:5: warning: [link.plan] spend_limit: none, and no hard_cap: the bill has no upper limit\n");
  CHECK(has(told_of_plan("included = \"1MB\"\nover = \"spend\"\nspend_limit = 1.00"),
            "[link.plan] price: missing"));
  CHECK(has(told_of_plan("included = \"1MB\"\nspend_limit = 1.00"),
            "warning: [link.plan] spend_limit = 1.00: has no effect"));
}

TEST_CASE("the reserve is a megabyte, but not most of a small volume") {
  CHECK(plan("included = \"50MB\"").reserve == 1'000'000);
  CHECK(plan("included = \"100kB\"").reserve == 10'000);
  CHECK(plan("included = \"100kB\"\nreserve = { emergency = \"100kB\" }").reserve == 100'000);
  CHECK(has(told_of_plan("included = \"100kB\"\nreserve = { emergency = \"101kB\" }"),
            "larger than the volume that it is taken from, 100kB"));
  CHECK(has(told_of_plan("included = \"9MB\"\nreserve = { message = \"1kB\" }"),
            "warning: [link.plan] reserve.message = \"1kB\": understood"));
  CHECK(has(told_of_plan("included = \"9MB\"\nreserve = { sos = \"1kB\" }"), "reserve.sos: unknown key"));
}

TEST_CASE("cycles are monthly, others are read and told") {
  CHECK(plan("included = \"9MB\"").cycle == PlanCycle{1, 0, "UTC"});
  const auto every = parse_gateway(
      std::string(kGateway) + "[link.plan]\nincluded = \"9MB\"\ncycle = { every = \"30d\", from = 2026-11-14 }",
      "g");
  CHECK(every.value.value().links[0].plan->cycle.reset_day == 14);
  CHECK(told(every.problems) ==
        "g:7: warning: [link.plan] cycle.every = \"30d\": understood, but not acted upon yet: counted by the "
        "month, from day 14\n");
  const auto prepaid = parse_gateway(
      std::string(kGateway) + "[link.plan]\ncycle = { prepaid = \"20MB\", expires = 2027-05-01 }", "g");
  CHECK(prepaid.value.value().links[0].plan->included == 20'000'000);
  CHECK(has(told(prepaid.problems), "warning: [link.plan] cycle.prepaid"));
  const auto* wrong = GENERATE(
      "{ reset_day = 1, every = \"30d\", from = 2026-11-01 }", "{ every = \"30d\", prepaid = \"1MB\" }",
      "{ every = \"30d\" }", "{ from = 2026-11-01 }", "{ reset_day = 0 }", "{ reset_day = 32 }",
      "{ time = \"24:00\" }", "{ zone = \"Asia/Almat\" }", "{ every = \"1h\", from = 2026-11-01 }",
      "{ every = \"30d\", from = \"2026-11-01\" }", "{ expires = 1 }", "{ day = 1 }");
  CAPTURE(wrong);
  CHECK_FALSE(parse_gateway(std::string(kGateway) + "[link.plan]\nincluded = \"9MB\"\ncycle = " + wrong).ok());
}

TEST_CASE("the contract's whole card is accepted, what is not acted upon is told") {
  const auto loaded = parse_gateway(std::string(kGateway) + R"([link.plan]
currency = "USD"
counts = "separate"
unit = "10KiB"
round_per = "session"
minimum = "50KiB"
session_floor = { rate = "300B/s", after = "300s" }
session_gap = "90s"
session_split = "midnight"
extra_per_packet = "54B"
factor = 1.02
included = "50MB"
price = 5.00
per = "1MB"
tiers = [ { upto = "100MB", price = 4.00 } ]
events = { session = 0.0, mailbox_check = 0.05 }
over = "throttle"
spend_limit = 20.00
throttle = { up = "500kbit/s", down = "1Mbit/s" }
hard_cap = "60MB"
reserve = { emergency = "1MB" }
cycle = { reset_day = 14, time = "00:00", zone = "Asia/Almaty" }
free = [ { days = "mon-sun", from = "23:00", to = "07:00", weight = 0.0 } ]
)");
  REQUIRE(loaded.ok());
  std::string keys;
  for (const auto& problem : loaded.problems) {
    CHECK(problem.severity == Severity::kWarning);
    keys += problem.key.substr(12) + ' ';
  }
  CHECK(keys ==
        "counts unit round_per minimum session_floor session_gap session_split extra_per_packet factor tiers "
        "events over spend_limit throttle free ");
}

TEST_CASE("the same card with nothing special in it is silent") {
  CHECK(told_of_plan(R"(included = "1MB"
counts = "sum"
unit = "1B"
round_per = "cycle"
minimum = "0B"
session_gap = "60s"
session_split = "none"
extra_per_packet = "0B"
factor = 1
events = { session = 0, mailbox_check = 0 })")
            .empty());
}

TEST_CASE("keys that are not acted upon are checked all the same") {
  const auto* wrong = GENERATE(
      "counts = \"both\"", "unit = \"0B\"", "round_per = \"hour\"", "minimum = 0",
      "session_floor = { rate = \"1B/s\" }", "session_gap = \"0s\"", "session_split = \"noon\"",
      "extra_per_packet = \"2kB\"", "factor = 0", "tiers = [ { upto = \"1MB\" } ]",
      "tiers = [ { upto = \"2MB\", price = 1 }, { upto = \"1MB\", price = 1 } ]", "events = { landing = 1 }",
      "over = \"stop\"", "throttle = { up = \"1\" }", "price = -1",
      "free = [ { days = \"everyday\", from = \"00:00\", to = \"01:00\" } ]", "free = [ { from = \"23:00\" } ]",
      "free = [ { from = \"23:00\", to = \"07:00\", weight = 2 } ]", "spend_limit = 1e3", "soft_cap = 80",
      "currency = \"dollar\"", "per = \"0B\"", "hard_cap = \"2000TB\"");
  CAPTURE(wrong);
  const auto loaded = parse_gateway(std::string(kGateway) + "[link.plan]\nincluded = \"1MB\"\n" + wrong, "g");
  CHECK_FALSE(loaded.ok());
  CHECK(has(told(loaded.problems), "g:7: [link.plan] "));
}

TEST_CASE("a plan by name is a preset, of the operator's folder first") {
  CHECK(link("plan = \"certus-100\"").plan->included == 50'000'000);
  CHECK(link("plan = \"certus-100\"").plan_name == "certus-100");
  const Files files = {{"/g", std::string(kGateway) + "plan = \"certus-100\""},
                       {"/state/plans/certus-100.toml", "included = \"7MB\""}};
  const auto loaded = load_gateway("/g", from(files));
  REQUIRE(told(loaded.problems).empty());
  CHECK(loaded.value->links[0].plan->included == 7'000'000);
}

TEST_CASE("a card can build on a preset") {
  const auto got = link("[link.plan]\npreset = \"certus-100\"\nincluded = \"75MB\"\ncycle = { reset_day = 9 }");
  CHECK(got.plan_name == "certus-100");
  CHECK(got.plan->included == 75'000'000);
  CHECK(got.plan->price == 5'000'000'000);
  CHECK(got.plan->cycle.reset_day == 9);
  CHECK(link("plan = { preset = \"certus-100\", included = \"75MB\" }").plan->price == 5'000'000'000);
}

TEST_CASE("a preset that cannot be had is told, wherever it was named") {
  CHECK(has(told_of("plan = \"certus-10\""),
            "g:5: [[link]] plan = \"certus-10\": no such plan; the nearest is \"certus-100\""));
  CHECK(has(told_of_plan("preset = \"metred\""),
            "g:6: [[link]] plan.preset = \"metred\": no such plan; the nearest is \"metered\""));
  CHECK(has(told_of("plan = \"../../etc/passwd\""), "not a name"));
  CHECK(has(told_of("plan = 5"), "must be a preset's name in quotes, or a table [link.plan]"));
  CHECK(has(told_of_plan("preset = 5"), "[link.plan] preset = 5: must be text in quotes"));
  const auto own = [](std::string_view text) {
    return told(load_gateway("/g", from({{"/g", std::string(kGateway) + "plan = \"mine\""},
                                         {"/state/plans/mine.toml", std::string(text)}}))
                    .problems);
  };
  CHECK(has(own("included = 5"), "/state/plans/mine.toml:1: [link.plan] included = 5: must be text in quotes"));
  CHECK(has(own("included ="), "/state/plans/mine.toml:1: not TOML"));
  CHECK(has(own("preset = \"mine\""), "a preset cannot build on another"));
}
