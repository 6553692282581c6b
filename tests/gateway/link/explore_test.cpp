// SPDX-License-Identifier: Apache-2.0
//
// The link's protocol in every order that small bounds allow, and proof that a mistake in it would be found.
#include <fmt/format.h>

#include "tests/gateway/link/explore_scenarios.hpp"

namespace tulpar::link::explore {

TEST_CASE("Explored: three messages in two batches") { explore_all(three_messages(), 1, 3); }

TEST_CASE("Explored: an emergency behind two messages") {
  auto scenario = three_messages();
  scenario.name = "emergency";
  scenario.gateway[2].cls = queue::kEmergency;
  explore_all(scenario);
}

TEST_CASE("Explored: messages that come while others are under way") {
  auto scenario = three_messages();
  scenario.name = "arriving";
  scenario.gateway.pop_back();
  scenario.gateway[1].cls = queue::kEmergency;
  scenario.early = 0;
  explore_all(scenario);
}

TEST_CASE("Explored: one message each way") {
  auto scenario = three_messages();
  scenario.name = "each_way";
  scenario.gateway = {mail("up/1")};
  scenario.relay = {mail("down/1")};
  explore_all(scenario);
}

TEST_CASE("Explored: an emergency interrupts a large message") {
  auto scenario = three_messages();
  scenario.name = "interrupted";
  scenario.gateway = {large_mail("large"), mail("sos", queue::kEmergency)};
  scenario.early = 1;
  explore_all(scenario);
}

TEST_CASE("Explored: an operator drops messages, also those that may have arrived") {
  auto scenario = three_messages();
  scenario.name = "dropped";
  scenario.faults = {Act::kBreak, Act::kCrash, Act::kDrop};
  explore_all(scenario);
}

TEST_CASE("Explored: a disk that cannot be read now and then") {
  auto scenario = three_messages();
  scenario.name = "unreadable";
  scenario.faults = {Act::kReadFails, Act::kCrash, Act::kRefuse};
  explore_all(scenario);
}

TEST_CASE("Explored: datagrams that are lost, come twice and overtake each other") {
  auto scenario = three_messages();
  scenario.name = "datagrams";
  scenario.gateway.pop_back();
  scenario.batch = 80;
  scenario.faults = {Act::kLose, Act::kRepeat, Act::kOvertake};
  explore_all(scenario, 2, 3);
}

TEST_CASE("Explored: a crash amid datagrams") {
  auto scenario = three_messages();
  scenario.name = "datagrams_and_a_crash";
  scenario.gateway.pop_back();
  scenario.batch = 80;
  scenario.faults = {Act::kLose, Act::kRepeat, Act::kOvertake, Act::kCrash};
  explore_all(scenario);
}

TEST_CASE("Two states with one key go on alike") {
  auto scenario = three_messages();
  SECTION("breaks, crashes and refusals") {}
  SECTION("an emergency") { scenario.gateway[2].cls = queue::kEmergency; }
  SECTION("datagrams") {
    scenario.gateway.pop_back();
    scenario.faults = {Act::kLose, Act::kRepeat, Act::kOvertake, Act::kCrash};
  }
  const auto found = explore(scenario, true).found;
  if (found) FAIL(script(scenario, *found));
}

TEST_CASE("Exploring finds each mistake, and the shortest way to it") {
  struct Mistake {
    Flaw flaw;
    std::string name, what;
  };
  const auto mistake = GENERATE(
      Mistake{Flaw::kAcknowledgesBeforeCommit, "it acknowledges before it commits",
              "the relay acknowledges what its disk does not have"},
      Mistake{Flaw::kSettlesBeforeCommit, "it settles before it commits",
              "the gateway says that all below message 3 are settled, and 1 is not finished on its disk"},
      Mistake{Flaw::kForgetsSettled, "it forgets what is settled", "m/1 is queued, and in 0 places"},
      Mistake{Flaw::kForgetsMessageNumbers, "it forgets message numbers", "m/1 is stored 2 times"},
      Mistake{Flaw::kReusesBatchNumbers, "it uses batch numbers again",
              "batch number 1 is used for a second content"},
      Mistake{Flaw::kKeepsVoidedHistory, "it keeps void texts in its history", "the two histories differ"},
      Mistake{Flaw::kConfirmsVoidsUnwritten, "it confirms voids that it does not write",
              "the relay acknowledges what its disk does not have"});
  auto scenario = three_messages();
  scenario.flaw = mistake.flaw;
  if (mistake.flaw == Flaw::kKeepsVoidedHistory) {  // takes a batch that overtakes another, and a crash
    scenario.faults = {Act::kRefuse, Act::kCrash};
    scenario.most = 2;
  }
  const auto found = explore(scenario).found;
  REQUIRE(found);
  const auto least = shortest(scenario, found->steps.size());
  REQUIRE(least);
  std::cout << mistake.name << ":\n" << script(scenario, *least);
  CHECK(least->what == mistake.what);
  CHECK(least->steps.size() <= found->steps.size());
}

TEST_CASE("A script tells a run in words, with what each frame holds") {
  const auto scenario = three_messages();
  const Found found{"as asked", {{Act::kConnect}, {Act::kSend}, {Act::kDeliver}, {Act::kCrash, 1, 1}}};
  CHECK(script(scenario, found) ==
        "   1. the two connect\n"
        "   2. gateway looks for what to send: a greeting\n"
        "   3. relay receives a greeting\n"
        "   4. relay CRASHES and starts again; 1 writes had come to its disk\n"
        "      as asked\n");
}

}  // namespace tulpar::link::explore
