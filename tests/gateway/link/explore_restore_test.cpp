// SPDX-License-Identifier: Apache-2.0
//
// The link's protocol when a side gets an old copy of its disk back. What its own disk forgot by that is gone,
// and messages may come twice; but what it accepts from then on is delivered like anything else.
#include "tests/gateway/link/explore_scenarios.hpp"

namespace tulpar::link::explore {
namespace {

// Both sides are in their second life, and the copies are of the first.
Scenario restored(int side) {
  auto scenario = three_messages();
  scenario.name = side == 0 ? "restored_sender" : "restored_receiver";
  scenario.gateway = {mail("m/1"), mail("m/2")};
  scenario.early = 0;
  scenario.aged = true;
  scenario.restored = side;
  scenario.faults = {Act::kRestore, Act::kBreak, Act::kCrash};
  return scenario;
}

// m/1 has arrived, and the gateway does not know it yet.
const std::vector<Step> kArrives = {{Act::kAccept},  {Act::kStore},      {Act::kConnect},  // a session with m/1
                                    {Act::kSend},    {Act::kDeliver},                      // its greeting
                                    {Act::kSend, 1}, {Act::kDeliver, 1},                   // the relay's
                                    {Act::kSend},    {Act::kRead},       {Act::kSend},     // the batch
                                    {Act::kDeliver}};

// Then this disk is from before m/1 was accepted: all that follows is explored, with m/2 to come. The gateway
// forgets that it sent m/1; the relay, which has acknowledged m/1, that it has it.
Scenario forgetful(int side) {
  auto scenario = restored(side);
  scenario.name += "_goes_on";
  scenario.first = kArrives;
  if (side == 1)
    for (const Step step :
         {Step{Act::kStore, 1}, {Act::kStore, 1}, {Act::kSend, 1}, {Act::kDeliver, 1}, {Act::kStore}})
      scenario.first.push_back(step);
  scenario.first.push_back({Act::kRestore, static_cast<std::uint8_t>(side)});
  return scenario;
}

// Takes the steps, and then all that comes without a fault.
void take_and_drain(const Scenario& scenario, const std::vector<Step>& steps) {
  World world(scenario);
  Found run{"", {}};
  try {
    for (const auto step : steps) {
      run.steps.push_back(step);
      world.take(step);
    }
    while (const auto step = world.drain()) run.steps.push_back(*step);
    REQUIRE(world.done());
    world.check_end();
  } catch (const std::runtime_error& error) {
    run.what = error.what();
    FAIL(script(scenario, run));
  }
}

}  // namespace

TEST_CASE("Explored: the receiver gets an old copy of its disk back") {
  auto scenario = restored(1);
  scenario.gateway.pop_back();
  explore_all(scenario);
}

TEST_CASE("Explored: the sender gets an old copy of its disk back") {
  auto scenario = restored(0);
  scenario.gateway.pop_back();
  explore_all(scenario, 1, 1);
}

TEST_CASE("Explored: what a restored receiver is sent from then on") { explore_all(forgetful(1)); }

TEST_CASE("Explored: what a restored sender accepts from then on") { explore_all(forgetful(0)); }

TEST_CASE("Explored: an emergency that a restored sender accepts") {
  auto scenario = forgetful(0);
  scenario.name += "_with_an_emergency";
  scenario.gateway[1].cls = queue::kEmergency;
  explore_all(scenario);
}

TEST_CASE("A restored sender's new messages arrive") {
  take_and_drain(forgetful(0), {{Act::kAccept}, {Act::kStore}});
}

// The number of m/2 is that of m/1, which the relay knows, and the second start's numbers hide it.
TEST_CASE("A restored sender's new messages arrive, also after another start") {
  take_and_drain(forgetful(0), {{Act::kAccept}, {Act::kStore}, {Act::kCrash}});
}

// The emergency's batch has the number of m/1's, and was begun in a session that did not come about: the
// relay's next greeting seems to acknowledge it.
TEST_CASE("A restored sender's emergency arrives, also after a session that failed") {
  auto scenario = forgetful(0);
  scenario.gateway[1].cls = queue::kEmergency;
  take_and_drain(scenario,
                 {{Act::kAccept}, {Act::kStore}, {Act::kConnect}, {Act::kSend}, {Act::kSend}, {Act::kBreak}});
}

}  // namespace tulpar::link::explore
