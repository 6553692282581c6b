// SPDX-License-Identifier: Apache-2.0
#include "queue/forecast.hpp"

#include <limits>

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::queue;
using std::chrono::days;
using std::chrono::hours;

namespace {

constexpr WallTime kBegin{days{20'000}};
constexpr CycleBounds kMonth{kBegin, kBegin + days{30}};

}  // namespace

TEST_CASE("forecast: a straight line through what was used") {
  const auto result = forecast(kMonth, kBegin, kBegin + days{10}, 20'000'000, 50'000'000);
  REQUIRE(result);
  CHECK(result->at_end == 60'000'000);
  CHECK(*result->runs_out == kBegin + days{25});
}

TEST_CASE("forecast: nothing runs out where the volume lasts or is unlimited") {
  CHECK_FALSE(forecast(kMonth, kBegin, kBegin + days{10}, 20'000'000, 60'000'000)->runs_out);
  CHECK(forecast(kMonth, kBegin, kBegin + days{10}, 20'000'000, 59'999'999)->runs_out);
  CHECK_FALSE(forecast(kMonth, kBegin, kBegin + days{10}, 20'000'000, std::nullopt)->runs_out);
  const auto idle = forecast(kMonth, kBegin, kBegin + days{10}, 0, 50'000'000);
  CHECK(idle->at_end == 0);
  CHECK_FALSE(idle->runs_out);
}

TEST_CASE("forecast: what is used up has run out now") {
  const WallTime now = kBegin + days{10};
  CHECK(*forecast(kMonth, kBegin, now, 50, 50)->runs_out == now);
  CHECK(*forecast(kMonth, kBegin, now, 51, 50)->runs_out == now);
  CHECK(*forecast(kMonth, kBegin, now, 0, 0)->runs_out == now);
}

TEST_CASE("forecast: says nothing before three days and a tenth of the cycle") {
  CHECK_FALSE(forecast(kMonth, kBegin, kBegin + days{3} - Millis{1}, 1000, 50));
  CHECK(forecast(kMonth, kBegin, kBegin + days{3}, 1000, 50));
  const CycleBounds long_one{kBegin, kBegin + days{31}};
  CHECK_FALSE(forecast(long_one, kBegin, kBegin + days{3} + hours{2}, 1000, 50));
  CHECK(forecast(long_one, kBegin, kBegin + days{3} + hours{3}, 1000, 50));
  const CycleBounds short_one{kBegin, kBegin + days{7}};
  CHECK_FALSE(forecast(short_one, kBegin, kBegin + days{2}, 1000, 50));
  CHECK_FALSE(forecast(kMonth, kBegin, kBegin - days{100}, 1000, 50));
}

TEST_CASE("forecast: counts from when it could count, not before the cycle, not past its end") {
  const auto late = forecast(kMonth, kBegin + days{10}, kBegin + days{20}, 10'000, std::nullopt);
  CHECK(late->at_end == 20'000);
  CHECK_FALSE(forecast(kMonth, kBegin + days{10}, kBegin + days{12}, 10'000, std::nullopt));
  const auto early = forecast(kMonth, kBegin - days{300}, kBegin + days{15}, 10'000, std::nullopt);
  CHECK(early->at_end == 20'000);
  CHECK(forecast(kMonth, kBegin, kBegin + days{90}, 10'000, std::nullopt)->at_end == 10'000);
}

TEST_CASE("forecast: absurd counts saturate") {
  constexpr auto kMost = std::numeric_limits<config::ByteSize>::max();
  CHECK(forecast(kMonth, kBegin, kBegin + days{3}, kMost / 2, std::nullopt)->at_end == kMost);
  CHECK(*forecast(kMonth, kBegin, kBegin + days{3}, kMost, kMost)->runs_out == kBegin + days{3});
}
