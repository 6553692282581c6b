// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/screen.hpp"

#include <sstream>

#include "gateway/demo/text.hpp"
#include "tests/catch.hpp"
#include "tests/gateway/demo/sample_state.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string line_with(const std::string& text, const std::string& words) {
  for (const std::string& line : lines_of(text)) {
    if (line.find(words) != std::string::npos) return line;
  }
  return "no line with: " + words;
}

}  // namespace

TEST_CASE("every size gives lines of exactly that width and no more than that height") {
  const DemoState s = sample_state();
  for (std::size_t width : {1, 20, 39, 40, 41, 60, 80, 81, 120, 300}) {
    for (std::size_t height : {1, 2, 5, 12, 15, 20, 21, 24, 60}) {
      const auto lines = lines_of(render(s, width, height, false));
      CAPTURE(width, height);
      CHECK(lines.size() <= height);
      CHECK_FALSE(lines.empty());
      for (const std::string& line : lines) CHECK(text_width(line) == width);
    }
  }
}

TEST_CASE("at 80 columns both ways stand side by side") {
  const std::string text = render(sample_state(), 80, 24, false);
  CHECK(line_with(text, "delivered  ") ==
        " delivered     2,345                   │ delivered     812                      ");
  CHECK(line_with(text, "each message") ==
        " each message  54 B                    │ each message  343 B                    ");
  CHECK(line_with(text, "superseded") ==
        " superseded    312, a newer one went   │ superseded    –                        ");
  CHECK(line_with(text, "money, 5/MB") ==
        " money, 5/MB   0.633 USD               │ money, 5/MB   1.392 USD                ");
  CHECK(line_with(text, "SOS sent") ==
        " SOS sent 14:03:10 by Асан: two people hurt by an avalanche, need a doctor      ");
  CHECK(line_with(text, "still waiting") ==
        " ✓ delivered in 0.9 s, past 1,012      │ … still waiting 37 s (1,214 ahead)     ");
  CHECK_THAT(line_with(text, "TULPAR"), Contains("40 nodes · 9,600 bit/s · 300 ms · 2 % lost"));
  CHECK_THAT(line_with(text, "TULPAR"), Contains("● satellite up"));
  CHECK_THAT(text, Contains("s SOS · c cut the satellite · r reply from the internet · q quit"));
  CHECK_THAT(text, Contains("http://127.0.0.1:8480/#K7QX-22M9"));
  CHECK_THAT(text, Contains("6.3 times fewer bytes a message, SOS more than 36 s sooner"));
}

TEST_CASE("the keys stand in the last line, whatever is above them") {
  DemoState s = sample_state();
  for (int races = 0; races < 5; ++races) {
    const auto lines = lines_of(render(s, 80, 24, false));
    CAPTURE(races);
    REQUIRE(lines.size() == 24);
    CHECK_THAT(lines.back(), StartsWith(" s SOS · c cut"));
    s.races.push_back(s.races.front());
  }
}

TEST_CASE("the small screen keeps the figures, the race and the keys") {
  const std::string text = render(sample_state(), 60, 15, false);
  for (const char* words : {"waiting", "each message", "SOS sent", "✓ delivered in 0.9 s",
                            "s SOS · c cut the satellite · r reply · q quit "}) {
    CHECK_THAT(text, Contains(words));
  }
}

TEST_CASE("the longer of the two queues fills its bar") {
  DemoState s = sample_state();
  const auto bar_cells = [](const std::string& text) {
    std::size_t cells = 0;
    for (std::size_t at = 0; (at = text.find("█", at)) != std::string::npos; ++at) ++cells;
    return cells;
  };
  const std::size_t full = bar_cells(line_with(render(s, 80, 24, false), "waiting  "));
  CHECK(full > 10);
  s.tulpar.waiting = 607;  // half
  const std::string line = line_with(render(s, 80, 24, false), "waiting  ");
  CHECK(bar_cells(line) == full + full / 2);
  s.tulpar.waiting = s.bridge.waiting = 0;
  CHECK(bar_cells(line_with(render(s, 80, 24, false), "waiting  ")) == 0);
}

TEST_CASE("messages fly where something is on its way, and nowhere else") {
  DemoState s = sample_state();
  s.bridge.flying = true;
  const std::string line = line_with(render(s, 80, 24, false), "mesh ");
  const std::size_t middle = line.find("│");
  CHECK(line.substr(0, middle).find("●") == std::string::npos);
  CHECK(line.find("●", middle) != std::string::npos);
}

TEST_CASE("what came out lately: people's words, and how much machines said between them") {
  DemoState s = sample_state();
  s.races.clear();
  s.tulpar.latest = {{.text = "Мост: position", .run = 1148}, {.text = "Марал: нан бар", .human = true}};
  s.bridge.latest = {{.text = "Ерлан: battery"}};
  const std::string text = render(s, 120, 30, false);
  CHECK_THAT(line_with(text, "Ерлан"),
             StartsWith(" 1,148 from machines, last Мост: position ") && Contains("│ Ерлан: battery  "));
  CHECK_THAT(line_with(text, "Марал"), StartsWith(" Марал: нан бар "));
}

TEST_CASE("a cut satellite shows at the top, on the way and at its key") {
  DemoState s = sample_state();
  s.link_up = false;
  const std::string text = render(s, 80, 24, false);
  CHECK_THAT(text, Contains("✕ SATELLITE CUT"));
  CHECK_THAT(line_with(text, "mesh "), Contains("·✕·"));
  CHECK_THAT(text, Contains("c mend it"));
}

TEST_CASE("a reply is a race of its own, and the latest races stay") {
  DemoState s = sample_state();
  s.races.push_back({.kind = RaceView::Kind::kReply,
                     .sent_at = "14:03:40",
                     .words = "Help is on the way",
                     .age = 7s,
                     .tulpar = 1100ms,
                     .bridge = 1900ms,
                     .tulpar_passed = 0,
                     .bridge_ahead = 0});
  CHECK_THAT(line_with(render(s, 80, 24, false), "Reply sent"), Contains("14:03:40: Help is on the way"));
  for (int i = 0; i < 20; ++i) s.races.push_back(s.races.front());
  s.races.back().sent_at = "15:00:00";
  const std::string text = render(s, 80, 24, false);
  CHECK_THAT(text, Contains("SOS sent 15:00:00"));
  CHECK_THAT(text, !Contains("Reply sent"));
}

TEST_CASE("before anything is delivered nothing is claimed") {
  DemoState s = sample_state();
  s.tulpar = s.bridge = {};
  s.races.clear();
  const std::string text = render(s, 80, 24, false);
  CHECK_THAT(text, !Contains("so far"));
  CHECK_THAT(line_with(text, "each message"), Contains("–"));
  // Where the bridge is the better one, no boast either.
  s = sample_state();
  std::swap(s.tulpar, s.bridge);
  CHECK_THAT(render(s, 80, 24, false), !Contains("so far"));
}

TEST_CASE("without colour there is no escape sequence, with it the same words") {
  const std::string plain = render(sample_state(), 100, 30, false);
  std::string coloured = render(sample_state(), 100, 30, true);
  CHECK(plain.find('\x1b') == std::string::npos);
  REQUIRE(coloured.find('\x1b') != std::string::npos);
  std::string stripped;
  for (std::size_t i = 0; i < coloured.size(); ++i) {
    if (coloured[i] == '\x1b') {
      i = coloured.find('m', i);
    } else {
      stripped += coloured[i];
    }
  }
  CHECK(stripped == plain);
}

TEST_CASE("repainting sends only the lines that changed") {
  CHECK(repaint("ab\ncd", "") == "\x1b[1;1Hab\x1b[K\x1b[2;1Hcd\x1b[K\x1b[J");
  CHECK(repaint("ab\ncd", "ab\ncx") == "\x1b[2;1Hcd\x1b[K");
  CHECK(repaint("ab\ncd", "ab\ncd").empty());
  CHECK(repaint("ab", "ab\ncd") == "\x1b[1;1Hab\x1b[K\x1b[J");
}

TEST_CASE("a page that is not where it was asked for says so") {
  DemoState s = sample_state();
  s.page_note = "(127.0.0.1:8480 is taken)";
  CHECK_THAT(line_with(render(s, 80, 24, false), "page: "), Contains("22M9  (127.0.0.1:8480 is taken)"));
}
