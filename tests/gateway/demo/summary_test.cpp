// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/summary.hpp"

#include <algorithm>

#include "tests/catch.hpp"
#include "tests/gateway/demo/sample_state.hpp"

using namespace tulpar;
using namespace tulpar::demo;

TEST_CASE("the summary is one plain line") {
  DemoState s = sample_state();
  CHECK(summary(s) ==
        "1 min 23 s  link up   Tulpar: 12 waiting, 2,345 delivered, 54 B each, 0.633 USD  bridge: 1,214 "
        "waiting, 812 "
        "delivered, 343 B each, 1.392 USD  SOS 14:03:10: Tulpar in 0.9 s, bridge waiting 37 s");
  s.races.clear();
  s.link_up = false;
  CHECK_THAT(summary(s), Contains("link CUT") && !Contains("SOS") && !Contains("\n"));
}

TEST_CASE("what remains at the end is a table") {
  DemoState s = sample_state();
  CHECK(closing(s) ==
        "1 min 23 s over 9,600 bit/s, 300 ms one way, 2 % lost\n"
        "                  Tulpar                          plain bridge\n"
        "  delivered       2,345                           812\n"
        "  superseded      312                             0\n"
        "  still waiting   12                              1,214\n"
        "  on the wire     127 kB                          279 kB\n"
        "  each message    54 B                            343 B\n"
        "  money           0.633 USD                       1.392 USD\n"
        "  SOS 14:03:10    after 0.9 s                     still waiting after 37 s\n");
}

TEST_CASE("of many races the table has the latest") {
  DemoState s = sample_state();
  for (int i = 0; i < 50; ++i) s.races.push_back(s.races.front());
  s.races.back().kind = RaceView::Kind::kReply;
  const std::string text = closing(s);
  CHECK(std::count(text.begin(), text.end(), '\n') == 16);
  CHECK_THAT(text, Contains("reply 14:03:10"));
}
