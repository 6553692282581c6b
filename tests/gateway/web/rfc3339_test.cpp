// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/rfc3339.hpp"

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {

std::int64_t millis(const char* text) {
  const auto at = parse_time(text);
  return at ? at->time_since_epoch().count() : -1;
}

}  // namespace

TEST_CASE("instants are written in UTC") {
  CHECK(format_time(WallTime{}) == "1970-01-01T00:00:00Z");
  CHECK(format_time(WallTime(Millis(1'794'999'600'250))) == "2026-11-18T11:00:00.250Z");
  CHECK(format_time(WallTime(Millis(951'782'400'000))) == "2000-02-29T00:00:00Z");
  CHECK(format_time(WallTime(Millis(-1))) == "1970-01-01T00:00:00Z");
  CHECK(format_time(WallTime::max()) == "9999-12-31T23:59:59.999Z");
}

TEST_CASE("instants are read in every allowed shape") {
  CHECK(millis("2026-11-18T11:00:00Z") == 1'794'999'600'000);
  CHECK(millis("2026-11-18t11:00:00.25z") == 1'794'999'600'250);
  CHECK(millis("2026-11-18T11:00:00.2509999Z") == 1'794'999'600'250);
  CHECK(millis("2026-11-18 16:00:00+05:00") == 1'794'999'600'000);
  CHECK(millis("2026-11-18T06:30:00-04:30") == 1'794'999'600'000);
  CHECK(millis("2026-11-18") == 1'794'960'000'000);
  CHECK(millis("1794999600") == 1'794'999'600'000);
  CHECK(millis("0") == 0);
  CHECK(millis("2016-12-31T23:59:60Z") == millis("2016-12-31T23:59:59Z"));
}

TEST_CASE("what is written is read back") {
  for (const std::int64_t at : {0LL, 1LL, 999LL, 1'794'999'600'250LL, 253'402'300'799'999LL})
    CHECK(millis(format_time(WallTime(Millis(at))).c_str()) == at);
}

TEST_CASE("everything else is refused") {
  for (const auto* text : {"",
                           "x",
                           "now",
                           "-1",
                           "1.5",
                           "2026-02-29",
                           "2026-13-01",
                           "2026-00-10",
                           "2026-11-31",
                           "26-11-18",
                           "2026-11-18T",
                           "2026-11-18T11",
                           "2026-11-18T11:00Z",
                           "2026-11-18T11:00:00",
                           "2026-11-18T24:00:00Z",
                           "2026-11-18T11:60:00Z",
                           "2026-11-18T11:00:61Z",
                           "2026-11-18T11:00:00.Z",
                           "2026-11-18T11:00:00+5",
                           "2026-11-18T11:00:00+24:00",
                           "2026-11-18T11:00:00Zz",
                           "1969-12-31",
                           "1970-01-01T00:00:00+00:01",
                           "253402300800",
                           "9223372036854775807",
                           "99999999999999999999",
                           " 2026-11-18"}) {
    INFO(text);
    CHECK(millis(text) == -1);
  }
}
