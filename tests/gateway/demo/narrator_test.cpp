// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/narrator.hpp"

#include "gateway/demo/text.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

namespace {

DemoState begun() {
  DemoState s;
  s.tulpar.waiting = s.bridge.waiting = s.backlog = 1309;
  s.away = 14h + 12min;
  return s;
}

}  // namespace

TEST_CASE("it begins with what has happened before") {
  Narrator narrator;
  const std::string note = narrator.note(begun());
  CHECK(note == "The satellite was away for 14 h: 1,309 messages wait. An SOS follows at 10 s.");
  CHECK(text_width(note) <= 79);
  CHECK(narrator.note(begun()) == note);
}

TEST_CASE("Tulpar's end of the backlog is news, once, with what the bridge still needs") {
  Narrator narrator;
  DemoState s = begun();
  narrator.note(s);
  s.running = 40s;
  s.tulpar.waiting = 3;
  s.tulpar.delivered = 400;
  s.bridge.waiting = 1149;
  s.bridge.delivered = 160;
  CHECK(narrator.note(s) == "Tulpar's backlog is out after 40 s; the bridge needs about 5 min more.");
  s.running = 60s;
  CHECK_THAT(narrator.note(s), Contains("after 40 s"));
  s.bridge.waiting = 0;
  s.running = 300s;
  CHECK(narrator.note(s) == "The bridge's backlog is out, too, after 5 min 00 s.");
}

TEST_CASE("before anything came out nobody is through") {
  Narrator narrator;
  DemoState s = begun();
  s.tulpar.waiting = 0;
  CHECK_THAT(narrator.note(s), Contains("was away"));
}

TEST_CASE("the satellite's coming and going is news") {
  Narrator narrator;
  DemoState s = begun();
  narrator.note(s);
  s.link_up = false;
  CHECK_THAT(narrator.note(s), Contains("is gone"));
  CHECK_THAT(narrator.note(s), Contains("is gone"));
  s.link_up = true;
  CHECK_THAT(narrator.note(s), Contains("is back"));
}
