// SPDX-License-Identifier: Apache-2.0
//
// The operator's desk of a gateway with two links, over a real store: for desk_test.cpp and
// desk_messages_test.cpp.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/desk.hpp"
#include "tests/gateway/station_bench.hpp"

namespace tulpar {

struct DeskBench : StationBench {
  std::vector<std::unique_ptr<link::LinkPeer>> peers;
  web::MeshStatus mesh;
  std::optional<PlanFigures> plan;  // of link `sat`
  std::string link_state;
  std::vector<queue::MessageId> handed;  // to the program, with the peer each is for
  std::vector<queue::PeerId> handed_to;
  int renewals = 0;
  std::unique_ptr<Desk> desk;

  explicit DeskBench(bool edge_is_main = false) {
    peers.push_back(load_peer("relay", "sat"));
    peers.push_back(load_peer("relay-2", "dsl"));
    start(edge_is_main);
  }
  ~DeskBench() {
    desk.reset();
    peers.clear();
  }

  void start(bool edge_is_main = false) {
    desk = std::make_unique<Desk>(station(), program(edge_is_main), [this] { ++wakes; });
    desk->on_renewed([this] { ++renewals; });
  }
  Desk::Program program(bool edge_is_main) {
    return {.name = "roof",
            .edge_is_main = edge_is_main,
            .peers =
                [this] {
                  std::vector<link::LinkPeer*> all;
                  for (const auto& peer : peers) all.push_back(peer.get());
                  return all;
                },
            .mesh = [this] { return mesh; },
            .gateways = [] { return std::vector<web::GatewayView>{{.name = "hut"}}; },
            .link_state = [this](std::size_t i) { return i == 0 ? link_state : std::string(); },
            .plan = [this](const std::string& link) { return link == "sat" ? &plan : nullptr; },
            .route = [this](const std::string& topic) -> Result<std::pair<queue::PeerId, std::string>> {
              if (topic == "nowhere") return Error{"no gateway is named so"};
              return std::pair{peers[0]->id(), "to/" + topic};
            },
            .accepted =
                [this](const auto& accepted, queue::PeerId peer) {
                  for (const auto& one : accepted) handed.push_back(one.entry.id);
                  handed_to.push_back(peer);
                },
            .verdict =
                [](const web::Status& status) {
                  return std::pair(status.ledger.queued == 0,
                                   "queued: " + std::to_string(status.ledger.queued));
                }};
  }
  // The figures are those of the store now: it reads in here only.
  void renew() {
    const int before = renewals;
    desk->changed();
    REQUIRE(step_until([&] { return renewals > before; }));
  }
  template <class Condition>
  bool step_until(Condition condition) {
    return until([&] {
      desk->step();
      return condition();
    });
  }
  // What the desk answers, at once or later.
  template <class Value, class Ask>
  web::Outcome<Value> answer(Ask ask) {
    std::optional<web::Outcome<Value>> answer;
    int answers = 0;
    ask([&](web::Outcome<Value> outcome) {
      answer = std::move(outcome);
      ++answers;
    });
    REQUIRE(until([&] { return answer.has_value(); }));
    CHECK(answers == 1);
    return std::move(*answer);
  }
  static std::string text(const web::Failure& failure) {
    static constexpr const char* kKinds[] = {"invalid", "not found", "conflict", "not supported",
                                             "unavailable"};
    return std::string(kKinds[static_cast<int>(failure.kind)]) + ": " + failure.message;
  }
  template <class Value>
  static std::string failure(const web::Outcome<Value>& outcome) {
    return outcome ? "" : text(outcome.error());
  }
};

}  // namespace tulpar
