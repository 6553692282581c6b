// SPDX-License-Identifier: Apache-2.0
#include "queue/cycle.hpp"

#include <date/tz.h>

#include <sstream>

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::queue;

namespace {

BillingCycle make(int day, int minute, const std::string& zone) {
  return BillingCycle::make({.reset_day = day, .reset_minute = minute, .zone = zone}).value();
}

WallTime utc(const std::string& text) {
  WallTime time;
  std::istringstream in(text);
  in >> date::parse("%F %T", time);
  REQUIRE_FALSE(in.fail());
  return time;
}

std::string text(WallTime time) { return date::format("%F %R", date::floor<std::chrono::minutes>(time)); }

// "begin | end" of the cycle that holds `instant`, in UTC.
std::string cycle(const BillingCycle& cycle, const std::string& instant) {
  const auto bounds = cycle.at(utc(instant));
  return text(bounds.begin) + " | " + text(bounds.end);
}

// With every kind of trouble: half hours, days that were skipped or came twice, changes at midnight and at a
// month's end, half-hour daylight saving, negative daylight saving.
const char* const kZones[] = {"UTC",
                              "Asia/Almaty",
                              "America/New_York",
                              "Europe/Berlin",
                              "Australia/Lord_Howe",
                              "Asia/Kolkata",
                              "Pacific/Apia",
                              "America/Sao_Paulo",
                              "Africa/Cairo",
                              "America/St_Johns",
                              "Europe/Dublin",
                              "Pacific/Kwajalein",
                              "Asia/Tehran",
                              "America/Havana",
                              "Antarctica/Troll",
                              "Asia/Pyongyang",
                              "Africa/Casablanca",
                              "America/Asuncion",
                              "Asia/Kathmandu"};

}  // namespace

TEST_CASE("cycle: from one reset to the next, in the plan's zone") {
  const auto almaty = make(14, 0, "Asia/Almaty");  // +06 until March 2024, +05 since
  CHECK(cycle(almaty, "2026-11-20 00:00:00") == "2026-11-13 19:00 | 2026-12-13 19:00");
  CHECK(cycle(almaty, "2024-02-20 00:00:00") == "2024-02-13 18:00 | 2024-03-13 19:00");
}

TEST_CASE("cycle: begins at its first millisecond and ends before the next one's") {
  const auto monthly = make(1, 0, "UTC");
  const auto first = monthly.at(utc("2026-03-01 00:00:00"));
  CHECK(text(first.begin) == "2026-03-01 00:00");
  CHECK(monthly.at(first.begin - Millis{1}).end == first.begin);
  CHECK(monthly.at(first.end - Millis{1}) == first);
}

TEST_CASE("cycle: a day that a month does not have is its last") {
  const auto last = make(31, 0, "UTC");
  CHECK(cycle(last, "2026-02-10 00:00:00") == "2026-01-31 00:00 | 2026-02-28 00:00");
  CHECK(cycle(last, "2026-02-28 00:00:00") == "2026-02-28 00:00 | 2026-03-31 00:00");
  CHECK(cycle(last, "2028-02-28 23:59:59") == "2028-01-31 00:00 | 2028-02-29 00:00");
  CHECK(cycle(last, "2026-04-30 12:00:00") == "2026-04-30 00:00 | 2026-05-31 00:00");
  CHECK(cycle(make(30, 0, "UTC"), "2026-03-01 00:00:00") == "2026-02-28 00:00 | 2026-03-30 00:00");
  CHECK(cycle(make(29, 0, "UTC"), "2028-03-01 00:00:00") == "2028-02-29 00:00 | 2028-03-29 00:00");
}

TEST_CASE("cycle: over the year's end") {
  CHECK(cycle(make(15, 0, "UTC"), "2027-01-01 00:00:00") == "2026-12-15 00:00 | 2027-01-15 00:00");
}

TEST_CASE("cycle: a reset time that daylight saving skips is the next valid instant") {
  // Berlin, 29 March 2026: 02:00 CET (01:00 UTC) is followed by 03:00 CEST.
  const auto berlin = make(29, 150, "Europe/Berlin");
  CHECK(cycle(berlin, "2026-03-29 00:59:59") == "2026-02-28 01:30 | 2026-03-29 01:00");
  CHECK(cycle(berlin, "2026-03-29 01:00:00") == "2026-03-29 01:00 | 2026-04-29 00:30");
  // Apia had no 30 December 2011: 29 December 24:00 (-10) is 31 December 00:00 (+14).
  CHECK(cycle(make(30, 600, "Pacific/Apia"), "2011-12-31 00:00:00") == "2011-12-30 10:00 | 2012-01-29 20:00");
  // Sao Paulo, 15 October 2017: the day began at 01:00.
  CHECK(cycle(make(15, 0, "America/Sao_Paulo"), "2017-10-20 00:00:00") ==
        "2017-10-15 03:00 | 2017-11-15 02:00");
}

TEST_CASE("cycle: a reset time that comes twice is the first") {
  // Berlin, 25 October 2026: 02:30 is 00:30 UTC (CEST) and again 01:30 UTC (CET).
  const auto berlin = make(25, 150, "Europe/Berlin");
  CHECK(cycle(berlin, "2026-10-25 00:29:59") == "2026-09-25 00:30 | 2026-10-25 00:30");
  CHECK(cycle(berlin, "2026-10-25 00:30:00") == "2026-10-25 00:30 | 2026-11-25 01:30");
  CHECK(cycle(berlin, "2026-10-25 01:30:00") == "2026-10-25 00:30 | 2026-11-25 01:30");
  // Havana, 1 November 2015: 00:30 came twice, so did the month's first hour.
  CHECK(cycle(make(1, 30, "America/Havana"), "2015-11-01 05:10:00") == "2015-11-01 04:30 | 2015-12-01 05:30");
}

TEST_CASE("cycle: a clock that goes back over the reset does not bring the old cycle back") {
  // St. John's, 1 November 2009: at 00:01 (02:31 UTC) the clock went back to 31 October, 23:01.
  const auto monthly = make(1, 0, "America/St_Johns");
  CHECK(cycle(monthly, "2009-11-01 02:29:59") == "2009-10-01 02:30 | 2009-11-01 02:30");
  CHECK(cycle(monthly, "2009-11-01 03:00:00") == "2009-11-01 02:30 | 2009-12-01 03:30");
}

TEST_CASE("cycle: the local month may run ahead of the instant, or behind") {
  // Havana, 1 November 2015: at 05:00 UTC the clock went back from 01:00 to 00:00.
  // Lord Howe moves by half an hour; day 1 at 02:00 of April 2012 came twice in part.
  for (const auto* zone : {"America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "America/Asuncion"}) {
    const auto monthly = make(1, 0, zone);
    for (auto at = utc("2011-01-01 00:00:00"); at < utc("2018-01-01 00:00:00"); at += std::chrono::hours{1}) {
      const auto bounds = monthly.at(at);
      REQUIRE(bounds.begin <= at);
      REQUIRE(at < bounds.end);
    }
  }
}

TEST_CASE("cycle: a wall clock that is off by ages gives a cycle all the same") {
  const auto monthly = make(31, 1439, "America/New_York");
  const WallTime wrong[] = {WallTime::min(), utc("1900-01-01 00:00:00"), utc("1970-01-01 00:00:00"),
                            utc("9999-12-31 23:59:59"), WallTime::max()};
  for (const WallTime at : wrong) {
    const auto bounds = monthly.at(at);
    CHECK(bounds.begin < bounds.end);
    CHECK(bounds.end - bounds.begin <= std::chrono::days{32});
  }
}

TEST_CASE("cycle: what is out of range or unknown is refused with what is allowed") {
  const auto refused = [](int day, int minute, const std::string& zone, const std::string& why) {
    const auto made = BillingCycle::make({.reset_day = day, .reset_minute = minute, .zone = zone});
    return !made && made.error().message.find(why) != std::string::npos;
  };
  CHECK(refused(0, 0, "UTC", "reset_day is 0; allowed is 1 to 31"));
  CHECK(refused(32, 0, "UTC", "reset_day is 32"));
  CHECK(refused(1, -1, "UTC", "-1 minutes"));
  CHECK(refused(1, 1440, "UTC", "1440 minutes"));
  CHECK(refused(1, 0, "Asia/Alma", "no zone \"Asia/Alma\""));
  CHECK(refused(1, 0, "", "no zone \"\""));
  CHECK(refused(1, 0, "../../etc/passwd", "no zone"));
}

TEST_CASE("cycle: a day is said in the plan's zone") {
  CHECK(day_in_words(utc("2026-12-13 19:00:00"), "Asia/Almaty") == "14 December");
  CHECK(day_in_words(utc("2026-12-13 19:00:00"), "UTC") == "13 December");
  CHECK(day_in_words(utc("2026-12-31 23:59:59"), "nowhere") == "31 December");
}

TEST_CASE("cycle property: cycles tile time for every reset day and many zones, 1990 to 2040") {
  for (const auto* zone : kZones) {
    for (int day = 1; day <= 31; ++day) {
      const int minute = day * 47 % 1440;
      CAPTURE(zone, day, minute);
      const auto monthly = make(day, minute, zone);
      CycleBounds bounds = monthly.at(utc("1990-01-01 00:00:00"));
      int months = 0;
      for (; bounds.begin < utc("2040-01-01 00:00:00"); ++months) {
        const auto next = monthly.at(bounds.end);
        REQUIRE(next.begin == bounds.end);
        REQUIRE(monthly.at(bounds.end - Millis{1}) == bounds);
        REQUIRE(monthly.at(bounds.begin + (bounds.end - bounds.begin) / 2) == bounds);
        REQUIRE(bounds.end - bounds.begin >= std::chrono::days{27});
        REQUIRE(bounds.end - bounds.begin <= std::chrono::days{32});
        bounds = next;
      }
      REQUIRE(months >= 50 * 12);
      REQUIRE(months <= 50 * 12 + 2);
    }
  }
}
