// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/text.hpp"

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

TEST_CASE("numbers are written as people read them") {
  CHECK(thousands(0) == "0");
  CHECK(thousands(999) == "999");
  CHECK(thousands(1214) == "1,214");
  CHECK(thousands(1234567) == "1,234,567");

  CHECK(byte_count(0) == "0 B");
  CHECK(byte_count(999) == "999 B");
  CHECK(byte_count(1000) == "1.0 kB");
  CHECK(byte_count(99'949) == "99.9 kB");
  CHECK(byte_count(99'950) == "100 kB");
  CHECK(byte_count(999'499) == "999 kB");
  CHECK(byte_count(999'500) == "1.00 MB");

  CHECK(time_span(-5ms) == "0.0 s");
  CHECK(time_span(949ms) == "0.9 s");
  CHECK(time_span(9'949ms) == "9.9 s");
  CHECK(time_span(9'950ms) == "10 s");
  CHECK(time_span(59'499ms) == "59 s");
  CHECK(time_span(59'500ms) == "1 min 00 s");
  CHECK(time_span(2h + 3min) == "2 h 03 min");

  CHECK(rough_span(-5ms) == "0 s");
  CHECK(rough_span(89s) == "89 s");
  CHECK(rough_span(90s) == "2 min");
  CHECK(rough_span(89min) == "89 min");
  CHECK(rough_span(90min) == "2 h");
  CHECK(rough_span(14h + 12min) == "14 h");
  CHECK(rough_span(5 * 24h) == "5 days");

  CHECK(byte_mean(53.6) == "54 B");
  CHECK(byte_mean(0) == "–");

  CHECK(money(0) == "0.000");
  CHECK(money(243'000'000) == "0.243");
  CHECK(money(9'999'499'999) == "9.999");
  CHECK(money(9'999'500'000) == "10.00");
  CHECK(money(12'084'000'000) == "12.08");
}

TEST_CASE("text is measured and cut by characters, not bytes") {
  CHECK(text_width("Асан ✓") == 6);
  CHECK(clip("Асан", 2) == "Ас");
  CHECK(clip("Асан", 4) == "Асан");
  CHECK(clip("Асан", 9) == "Асан");
  CHECK(clip("Асан", 0).empty());
}

TEST_CASE("a line is filled or cut to its width and coloured only where asked") {
  const Line line = Line("ab", Ink::kRed).add("вг");
  CHECK(line.width() == 4);
  CHECK(line.fit(6).str(false) == "abвг  ");
  CHECK(line.fit(3).str(false) == "abв");
  CHECK(line.fit(3).width() == 3);
  CHECK(line.str(true) == "\x1b[1;31mab\x1b[0mвг");
  CHECK(Line("a", Ink::kDim).add("b", Ink::kDim).str(true) == "\x1b[2mab\x1b[0m");
  CHECK(Line().fit(2).str(true) == "  ");
}
