// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/options.hpp"

#include <limits>

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

namespace {

template <class Value>
std::string complaint(Value DemoOptions::*option, Value value) {
  DemoOptions options;
  options.*option = value;
  const auto checked = check(options);
  return checked ? "" : checked.error().message;
}

}  // namespace

TEST_CASE("the defaults and both ends of each range are allowed") {
  CHECK(check({}).has_value());
  for (const std::uint64_t rate : {300u, 1'000'000'000u}) CHECK(complaint(&DemoOptions::rate, rate) == "");
  for (const Millis delay : {0ms, 10'000ms}) CHECK(complaint(&DemoOptions::delay, delay) == "");
  for (const double loss : {0.0, 0.5}) CHECK(complaint(&DemoOptions::loss, loss) == "");
  for (const int nodes : {1, 2000}) CHECK(complaint(&DemoOptions::nodes, nodes) == "");
  for (const double speed : {0.1, 10'000.0}) CHECK(complaint(&DemoOptions::plan_speed, speed) == "");
  for (const char* web : {"0.0.0.0:80", "[::1]:0"}) CHECK(complaint<std::string>(&DemoOptions::web, web) == "");
}

TEST_CASE("beyond a range: the option, what it was given, what is allowed") {
  CHECK(complaint<std::uint64_t>(&DemoOptions::rate, 299) ==
        "--rate 299bit/s: out of range; allowed is 300bit/s to 1Gbit/s");
  CHECK_THAT(complaint<std::uint64_t>(&DemoOptions::rate, 1'000'000'001), Contains("allowed is"));
  CHECK(complaint<Millis>(&DemoOptions::delay, 10'001ms) ==
        "--delay 10001ms: out of range; allowed is 0s to 10s");
  CHECK(complaint(&DemoOptions::loss, 0.6) == "--loss 0.6: out of range; allowed is 0 to 0.5");
  CHECK(complaint(&DemoOptions::nodes, 0) == "--nodes 0: out of range; allowed is 1 to 2000");
  CHECK(complaint(&DemoOptions::plan_speed, 0.0) == "--plan-speed 0: out of range; allowed is 0.1 to 10000");
}

TEST_CASE("what is no number is within no range") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THAT(complaint(&DemoOptions::loss, nan), Contains("--loss nan"));
  CHECK_THAT(complaint(&DemoOptions::plan_speed, nan), Contains("--plan-speed nan"));
}

TEST_CASE("a page needs a host and a port") {
  for (const char* web : {"", "8480", "127.0.0.1", "127.0.0.1:99999"}) {
    CAPTURE(web);
    CHECK_THAT(complaint<std::string>(&DemoOptions::web, web), StartsWith(std::string("--web ") + web + ": "));
  }
}
