// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/races.hpp"

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;
using namespace std::chrono_literals;

namespace {

constexpr BootTime kStart{1000s};

Races::Start sos(MessageKey key, BootTime at = kStart) {
  return {.kind = RaceView::Kind::kSos,
          .key = key,
          .at = at,
          .clock = "14:03:10",
          .words = "Асан: help",
          .tulpar_waiting = 700,
          .bridge_before = 1000};
}

}  // namespace

TEST_CASE("a race tells how long each took, and who is still before it in the bridge") {
  Races races;
  races.begin(sos(1));
  auto view = races.view(kStart + 4s, 300).at(0);
  CHECK(view.age == 4s);
  CHECK_FALSE(view.tulpar.has_value());
  CHECK_FALSE(view.bridge.has_value());
  CHECK(view.bridge_ahead == 700);
  CHECK(view.tulpar_passed == 700);
  CHECK(view.words == "Асан: help");
  CHECK(view.sent_at == "14:03:10");

  races.arrived(Way::kTulpar, 1, kStart + 900ms);
  races.arrived(Way::kBridge, 1, kStart + 240s);
  view = races.view(kStart + 300s, 1001).at(0);
  CHECK(view.tulpar == 900ms);
  CHECK(view.bridge == 240s);
  CHECK(view.bridge_ahead == 0);
}

TEST_CASE("only the first arrival counts, and only of what races") {
  Races races;
  races.begin(sos(1));
  races.begin(sos(2, kStart + 5s));
  races.arrived(Way::kTulpar, 3, kStart + 1s);
  races.arrived(Way::kTulpar, 2, kStart + 6s);
  races.arrived(Way::kTulpar, 2, kStart + 60s);
  const auto views = races.view(kStart + 61s, 0);
  CHECK_FALSE(views.at(0).tulpar.has_value());
  CHECK(views.at(1).tulpar == 1s);
}

TEST_CASE("of races without end the latest are kept") {
  Races races;
  for (std::size_t i = 0; i < Races::kMax + 5; ++i) races.begin(sos(i));
  races.arrived(Way::kTulpar, 4, kStart + 1s);
  races.arrived(Way::kTulpar, 5, kStart + 1s);
  const auto views = races.view(kStart + 2s, 0);
  REQUIRE(views.size() == Races::kMax);
  CHECK(views.front().number == 5);
  CHECK(views.back().number == Races::kMax + 4);
  CHECK(views.front().tulpar == 1s);
  CHECK_FALSE(views.at(1).tulpar.has_value());
}
