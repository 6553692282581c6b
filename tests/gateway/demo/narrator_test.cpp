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
  s.bridge.wire_up = 160 * 300;
  s.rate = 9600;
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

TEST_CASE("each arrival of an SOS is news, once") {
  Narrator narrator;
  DemoState s = begun();
  s.races = {{.number = 0, .sent_at = "14:03:10", .bridge_ahead = 1275}};
  CHECK_THAT(narrator.note(s), Contains("was away"));
  s.races[0].tulpar = 1s;
  const std::string note = narrator.note(s);
  CHECK(note == "SOS of 14:03:10: Tulpar delivered it in 1.0 s, the bridge has 1,275 to go.");
  CHECK(text_width(note) <= 79);
  s.races[0].bridge_ahead = 1200;
  CHECK(narrator.note(s) == note);
  s.races[0].bridge = 250s;
  CHECK(narrator.note(s) == "SOS of 14:03:10: Tulpar delivered it in 1.0 s, the bridge in 4 min 10 s.");
}

TEST_CASE("where the bridge is the first one that is said, too") {
  Narrator narrator;
  DemoState s = begun();
  s.races = {{.number = 7, .kind = RaceView::Kind::kReply, .sent_at = "14:03:10", .bridge = 700ms}};
  CHECK(narrator.note(s) == "Reply of 14:03:10: the bridge delivered it in 0.7 s, Tulpar not yet.");
  s.races.push_back({.number = 8, .sent_at = "14:03:11", .tulpar = 900ms});
  CHECK(narrator.note(s) == "SOS of 14:03:11: Tulpar delivered it in 0.9 s, the bridge not yet.");
  // The oldest is forgotten; the others keep their numbers, and nothing is told again.
  s.races.erase(s.races.begin());
  s.link_up = false;
  CHECK_THAT(narrator.note(s), Contains("is gone"));
}
