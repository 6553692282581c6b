// SPDX-License-Identifier: Apache-2.0
#include "config/units.hpp"

#include <limits>
#include <random>

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::config;
using namespace std::chrono_literals;

namespace {

// Numbers of every magnitude, near the powers of two and ten, where units change and overflow begins.
std::vector<std::uint64_t> numbers() {
  std::vector<std::uint64_t> out = {0, 1, std::numeric_limits<std::uint64_t>::max()};
  for (std::uint64_t base : {2u, 10u})
    for (std::uint64_t power = base; power < std::numeric_limits<std::uint64_t>::max() / base; power *= base)
      out.insert(out.end(), {power - 1, power, power + 1, power * 3});
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) out.push_back(random() >> random() % 64);
  return out;
}

}  // namespace

TEST_CASE("durations are read in every unit") {
  CHECK(parse_duration("300ms").value() == 300ms);
  CHECK(parse_duration("10s").value() == 10s);
  CHECK(parse_duration("5min").value() == 5min);
  CHECK(parse_duration("5m").value() == 5min);
  CHECK(parse_duration("2h").value() == 2h);
  CHECK(parse_duration("7d").value() == 168h);
  CHECK(parse_duration("1.5h").value() == 90min);
  CHECK(parse_duration("0.001s").value() == 1ms);
  CHECK(parse_duration("10 s").value() == 10s);
  CHECK(parse_duration("0s").value() == 0s);
}

TEST_CASE("what is no duration is refused") {
  const auto* text = GENERATE("", "10", "s", "10 sec", "-1s", "+1s", "1e3s", "0.0001s", "1..5s", "1.s", ".5s",
                              "10  s", "10s ", " 10s", "0x10s", "1h30m", "99999999999999999999s",
                              "9223372036854775808ms", "1.0000000000s", "10S", "10\0s");
  CAPTURE(text);
  const auto result = parse_duration(text);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().message.find("\"10s\"") != std::string::npos);
}

TEST_CASE("durations are written in the largest whole unit") {
  CHECK(format_duration(0ms) == "0s");
  CHECK(format_duration(1500ms) == "1500ms");
  CHECK(format_duration(60s) == "1min");
  CHECK(format_duration(36h) == "36h");
  CHECK(format_duration(48h) == "2d");
}

TEST_CASE("sizes are read in powers of 1000 and of 1024") {
  CHECK(parse_size("340B").value() == 340);
  CHECK(parse_size("50kB").value() == 50'000);
  CHECK(parse_size("50KiB").value() == 51'200);
  CHECK(parse_size("1MB").value() == 1'000'000);
  CHECK(parse_size("1MiB").value() == 1'048'576);
  CHECK(parse_size("2GB").value() == 2'000'000'000);
  CHECK(parse_size("1.5kB").value() == 1'500);
  CHECK_FALSE(parse_size("0.5B").has_value());
  CHECK_FALSE(parse_size("50KB").has_value());
  CHECK_FALSE(parse_size("50").has_value());
  CHECK_FALSE(parse_size("18446744073709551616B").has_value());
  CHECK_FALSE(parse_size("18446744073710TB").has_value());
}

TEST_CASE("rates are read in bits, and in bytes where the unit says so") {
  CHECK(parse_rate("9600bit/s").value() == 9600);
  CHECK(parse_rate("88kbit/s").value() == 88'000);
  CHECK(parse_rate("1Mbit/s").value() == 1'000'000);
  CHECK(parse_rate("1Gbit/s").value() == 1'000'000'000);
  CHECK(parse_rate("300B/s").value() == 2400);
  CHECK(parse_rate("2.4kbit/s").value() == 2400);
  CHECK_FALSE(parse_rate("96bits").has_value());
  CHECK_FALSE(parse_rate("9600").has_value());
  CHECK_FALSE(parse_rate("9600bps").has_value());
  CHECK(format_rate(2400) == "2400bit/s");
  CHECK(format_rate(8'000'000) == "8Mbit/s");
}

TEST_CASE("quantities survive being written and read again") {
  for (const auto number : numbers()) {
    CAPTURE(number);
    CHECK(parse_size(format_size(number)).value() == number);
    CHECK(parse_rate(format_rate(number)).value() == number);
    const Millis duration(static_cast<Millis::rep>(number >> 1));
    CHECK(parse_duration(format_duration(duration)).value() == duration);
  }
}

TEST_CASE("money is read from its digits") {
  CHECK(parse_money("5.00").value() == 5'000'000'000);
  CHECK(parse_money("5").value() == 5'000'000'000);
  CHECK(parse_money("0.05").value() == 50'000'000);
  // As doubles these would be a billionth off.
  CHECK(parse_money("9007199.254740993").value() == 9'007'199'254'740'993);
  CHECK(parse_money("0.000000001").value() == 1);
  CHECK(parse_money("-1.5").value() == -1'500'000'000);
  CHECK(parse_money("9223372036.854775807").value() == std::numeric_limits<Money>::max());
}

TEST_CASE("what cannot be kept exactly is no price") {
  const auto* text = GENERATE("", "-", ".5", "5.", "1e3", "inf", "nan", "5,00", "0.0000000001",
                              "9223372036.854775808", "1_000", "0x10", "5.0.0", "--5", "5 ", "$5");
  CAPTURE(text);
  CHECK_FALSE(parse_money(text).has_value());
}

TEST_CASE("money survives being written and read again") {
  CHECK(format_money(5'000'000'000) == "5.00");
  CHECK(format_money(62'500'000) == "0.0625");
  CHECK(format_money(-1) == "-0.000000001");
  CHECK(format_money(std::numeric_limits<Money>::min()) == "-9223372036.854775808");
  for (const auto number : numbers()) {
    const auto money = static_cast<Money>(number >> 1);
    CHECK(parse_money(format_money(money)).value() == money);
    CHECK(parse_money(format_money(-money)).value() == -money);
  }
}

TEST_CASE("the time of day is read and written") {
  CHECK(parse_time_of_day("00:00").value() == 0);
  CHECK(parse_time_of_day("23:59").value() == 1439);
  for (int minute = 0; minute < 24 * 60; ++minute)
    CHECK(parse_time_of_day(format_time_of_day(minute)).value() == minute);
  for (const auto* text : {"", "24:00", "12:60", "7:30", "07:30:00", "-1:30", "07-30", "+7:30", " 7:30"})
    CHECK_FALSE(parse_time_of_day(text).has_value());
}

TEST_CASE("days of the week are read, also over the week's end") {
  CHECK(parse_days("mon").value() == 0b0000001);
  CHECK(parse_days("mon-sun").value() == 0b1111111);
  CHECK(parse_days("sat,sun").value() == 0b1100000);
  CHECK(parse_days("fri-mon").value() == 0b1110001);
  CHECK(parse_days("mon,wed-thu").value() == 0b0001101);
  for (const auto* text :
       {"", "mo", "Mon", "mon,", ",mon", "mon-", "-mon", "mon--wed", "mon - fri", "mon-wed-fri"})
    CHECK_FALSE(parse_days(text).has_value());
}
