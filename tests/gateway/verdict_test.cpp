// SPDX-License-Identifier: Apache-2.0
#include "gateway/verdict.hpp"

#include "tests/catch.hpp"

namespace tulpar {
namespace {

web::Status working() {
  web::Status status;
  status.store.ok = true;
  status.mesh.connected = true;
  web::LinkView link;
  link.link.state = "up";
  status.links.push_back(link);
  return status;
}

web::Status with_plan(double percent, queue::PlanState state = queue::PlanState::kGreen) {
  auto status = working();
  web::LinkPlan plan{.name = "certus-100", .currency = "USD", .zone = "Asia/Almaty"};
  plan.figures.percent = percent;
  plan.figures.state = state;
  // Midnight of the 14th in Almaty.
  plan.figures.resets_at =
      WallTime{std::chrono::sys_days{std::chrono::year{2026} / 12 / 13} + std::chrono::hours(19)};
  status.links[0].plan = plan;
  return status;
}

std::string said(const web::Status& status) { return gateway_verdict(status, "").second; }

}  // namespace

TEST_CASE("a gateway that works says so, how long ago, what waits and how long the quota lasts") {
  auto status = with_plan(39.4);
  status.last_delivered = Millis{40'000};
  status.ledger.queued = 3;
  const auto [ok, text] = gateway_verdict(status, "");
  CHECK(ok);
  CHECK(text ==
        "Working. Last message reached the internet 40 s ago. 3 messages are waiting. 60 % of the quota is "
        "left, enough "
        "until it resets on 14 December.");
}

TEST_CASE("ages grow in words, and one message is one") {
  auto status = working();
  const auto age = [&](Millis since) {
    status.last_delivered = since;
    const auto text = said(status);
    const auto at = text.find("internet ") + 9;
    return text.substr(at, text.find(" ago") - at);
  };
  using namespace std::chrono_literals;
  CHECK(age(119s) == "119 s");
  CHECK(age(120s) == "2 min");
  CHECK(age(119min) == "119 min");
  CHECK(age(120min) == "2 h");
  CHECK(age(47h) == "47 h");
  CHECK(age(48h) == "2 days");
  status.last_delivered.reset();
  CHECK(said(status) == "Working. Nothing is waiting. No plan is set: bytes are counted, nothing is limited.");
  status.ledger.queued = 1;
  CHECK(said(status).find("One message is waiting.") != std::string::npos);
}

TEST_CASE("a quota that runs out early names the day, one that is used up says what still goes") {
  auto status = with_plan(80, queue::PlanState::kYellow);
  queue::Forecast forecast;
  forecast.runs_out = WallTime{std::chrono::sys_days{std::chrono::year{2026} / 12 / 3}};
  status.links[0].plan->forecast = forecast;
  CHECK(said(status).find("20 % of the quota is left; at this pace it runs out on 3 December.") !=
        std::string::npos);
  CHECK(said(with_plan(100, queue::PlanState::kRed)).find("used up: only emergencies go") != std::string::npos);
  CHECK(said(with_plan(130)).find(" 0 % of the quota") != std::string::npos);
}

TEST_CASE("the first broken part of the way is named, with its reason") {
  auto status = working();
  status.links[0].link.state = "down";
  status.links[0].link.note = "cut";
  status.ledger.queued = 2;
  CHECK(
      gateway_verdict(status, "") ==
      std::pair(false, std::string("No link to the relay: cut. 2 messages are waiting. Everything is kept.")));
  CHECK(gateway_verdict(status, "no route").second.find("relay: no route.") != std::string::npos);
  status.mesh = {.connected = false, .durable = false, .note = "refused", .accepted_last_minute = 0};
  CHECK(gateway_verdict(status, "") ==
        std::pair(false, std::string("The mesh's broker cannot be reached: refused.")));
  status.store.ok = false;
  status.store.problem = "disk full";
  CHECK(said(status).find("The disk fails: disk full. ") == 0);
  CHECK(said(status).find("an SOS still goes") != std::string::npos);
  status.store.unstored = 2;
  CHECK(said(status).find("2 SOS in memory") != std::string::npos);
}

TEST_CASE("a relay counts its gateways and names a sink that is away") {
  web::Status status;
  status.store.ok = true;
  CHECK(relay_verdict(status).second.find("No gateway is enrolled yet") != std::string::npos);
  status.gateways.resize(3);
  status.gateways[1].connected = true;
  CHECK(relay_verdict(status) ==
        std::pair(true, std::string("Working. 1 of 3 gateways connected. Nothing is waiting.")));
  status.sinks.push_back({"mqtt", false, 0, "refused"});
  const auto [ok, text] = relay_verdict(status);
  CHECK_FALSE(ok);
  CHECK(text.find("The sink mqtt cannot be reached: refused.") == 0);
  status.sinks[0].connected = true;
  CHECK(relay_verdict(status).first);  // a note alone need be no trouble
  status.sinks[0].note = "2 of the messages are refused";
  status.sinks[0].refusing = true;
  CHECK(
      relay_verdict(status) ==
      std::pair(false, std::string("The sink mqtt does not take everything: 2 of the messages are refused.")));
}

}  // namespace tulpar
