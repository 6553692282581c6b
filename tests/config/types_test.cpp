// SPDX-License-Identifier: Apache-2.0
#include "config/types.hpp"

#include "tests/catch.hpp"

using namespace tulpar::config;
using namespace std::chrono_literals;

TEST_CASE("the default classes are those of the design, the most urgent first") {
  const auto classes = default_classes();
  REQUIRE(classes.size() == 5);
  const auto is = [&](std::size_t i, const char* name, tulpar::Millis hold, tulpar::Millis ttl,
                      OverQuota over) {
    return classes[i].name == name && classes[i].hold == hold && classes[i].ttl == ttl &&
           classes[i].over_quota == over;
  };
  CHECK(is(0, "emergency", 0s, 0s, OverQuota::kAlways));
  CHECK(is(1, "message", 1s, 14 * 24h, OverQuota::kToTheEnd));
  CHECK(is(2, "normal", 10s, 24h, OverQuota::kPaced));
  CHECK(is(3, "telemetry", 60s, 6h, OverQuota::kSlowedFirst));
  CHECK(is(4, "bulk", 10min, 24h, OverQuota::kLeftOver));
  for (std::size_t i = 0; i < classes.size(); ++i) {
    CHECK(classes[i].latest_only == (classes[i].name == "telemetry"));
    // Every class but bulk has a small guaranteed share.
    CHECK((classes[i].minimum_share > 0) == (classes[i].name != "bulk"));
    if (i > 0) CHECK(classes[i].weight < classes[i - 1].weight);
  }
}

TEST_CASE("a sink's audience is told by its host unless it is given") {
  Sink sink;
  CHECK(audience_of(sink) == Audience::kPrivate);
  sink.host = "mqtt.meshtastic.org";
  CHECK(audience_of(sink) == Audience::kPublic);
  sink.audience = Audience::kPrivate;
  CHECK(audience_of(sink) == Audience::kPrivate);
  sink.audience.reset();
  sink.host = "192.168.1.5";
  CHECK(audience_of(sink) == Audience::kPrivate);
}
