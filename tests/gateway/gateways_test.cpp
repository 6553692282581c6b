// SPDX-License-Identifier: Apache-2.0
#include "gateway/gateways.hpp"

#include <filesystem>

#include "tests/gateway/link/memory_link.hpp"
#include "tests/gateway/station_bench.hpp"

namespace tulpar {
namespace {

using link::MemoryTransport;

// A relay whose gateways come over memory.
struct Fixture : StationBench {
  link::EnrolmentBook book{dir / "state"};
  std::vector<queue::Accepted> arrived;
  std::vector<std::string> loaded;
  int changes = 0;
  std::unique_ptr<Gateways> gateways;
  // Outlive the peers that they are attached to.
  std::vector<std::shared_ptr<MemoryTransport>> transports;

  Fixture() { start(); }
  ~Fixture() { gateways.reset(); }
  void start() {
    gateways = std::make_unique<Gateways>(
        station(), book,
        Gateways::Hooks{.arrived = [this](const auto&, const auto& accepted) { arrived = accepted; },
                        .loaded = [this](link::LinkPeer& peer) { loaded.push_back(peer.name()); },
                        .changed = [this] { ++changes; },
                        .wake = [this] { ++wakes; }});
  }
  void enrol(const std::string& name) { REQUIRE(book.enrol(name, "relay:7700").has_value()); }
  void revoke(const std::string& name) { REQUIRE(book.revoke(name).has_value()); }
  void load_all() {
    bool done = false;
    gateways->load_all([&] { done = true; });
    REQUIRE(until([&] { return done; }));
  }
  // A miss makes it look into the book at once.
  void look() { CHECK_FALSE(gateways->find("nobody")); }
  std::vector<std::string> names() {
    std::vector<std::string> all;
    for (auto* peer : gateways->peers()) all.push_back(peer->name());
    return all;
  }
  // A gateway's end of a connection, with nobody at it.
  std::shared_ptr<MemoryTransport> attach(const std::string& name) {
    transports.push_back(std::make_shared<MemoryTransport>());
    gateways->attach(name, transports.back());
    return transports.back();
  }
  // The transports do what they have to until something is so.
  template <class Condition>
  bool turn_until(Condition condition) {
    return until([&] {
      for (const auto& transport : transports) transport->turn();
      return condition();
    });
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE_METHOD(Fixture, "Gateways: with an empty book the relay is ready at once") {
  bool done = false;
  gateways->load_all([&] { done = true; });
  CHECK(done);
  CHECK(gateways->peers().empty());
  CHECK(*gateways->next_wake() > station().clock().now());  // the book is looked into again
}

TEST_CASE_METHOD(Fixture, "Gateways: those in the book are loaded with what waits for them, each by itself") {
  enrol("roof");
  enrol("hut");
  load_all();
  CHECK(names() == Names{"hut", "roof"});
  auto* hut = gateways->find("hut");
  auto* roof = gateways->find("roof");
  REQUIRE(hut);
  REQUIRE(roof);
  CHECK(hut->id() != roof->id());
  const auto entry = accept(message(roof->id(), "t", "for the roof"));
  gateways->add(roof->id(), entry);
  CHECK(hut->scheduler().size() == 0);
  CHECK(roof->scheduler().size() == 1);
  start();
  load_all();
  CHECK(gateways->find("roof")->scheduler().size() == 1);
  const auto views = gateways->views();
  REQUIRE(views.size() == 2);
  CHECK(views[1].name == "roof");
  CHECK(views[1].queued == 1);
  CHECK_FALSE(views[1].connected);
  CHECK_FALSE(views[1].last_contact);
}

TEST_CASE_METHOD(Fixture, "Gateways: a store that does not give a queue ends the start in words") {
  enrol("roof");
  refuse("peer");
  gateways->load_all([] {});
  CHECK_THROWS_WITH(until([] { return false; }), Contains("roof") && Contains("disk I/O error"));
}

TEST_CASE_METHOD(Fixture, "Gateways: one that is enrolled while the relay runs is found, once") {
  load_all();
  look();
  enrol("roof");
  CHECK_FALSE(gateways->find("roof"));
  CHECK(gateways->loading("roof"));
  CHECK_FALSE(gateways->loading("nobody"));
  CHECK_FALSE(gateways->find("roof"));
  REQUIRE(until([&] { return gateways->find("roof") != nullptr; }));
  CHECK(loaded == Names{"roof"});
  CHECK(query("SELECT count(*) FROM peer") == 1);
}

TEST_CASE_METHOD(Fixture, "Gateways: the book is looked into by itself, and a failure is tried again") {
  enrol("roof");
  refuse("peer");
  CHECK(gateways->next_wake() <= station().clock().now());
  gateways->step();
  CHECK(*gateways->next_wake() <= station().clock().now() + Gateways::kLookEvery);
  REQUIRE(until([&] { return !station().store_health().ok; }));
  relent();
  CHECK(until([&] { return gateways->find("roof") != nullptr; }));
}

TEST_CASE_METHOD(Fixture, "Gateways: one that is revoked is sent away, forgotten, and kept for") {
  enrol("roof");
  enrol("hut");
  load_all();
  const auto id = gateways->find("roof")->id();
  const auto transport = attach("roof"), other = attach("hut");
  CHECK(gateways->find("roof")->connected());
  gateways->add(id, accept(message(id, "t", "x")));
  revoke("roof");
  look();
  CHECK(transport->ending == to_string(link::ByeReason::kRevoked));
  CHECK(names() == Names{"hut", "roof"});  // until it has said goodbye
  REQUIRE(transport->turn());
  look();
  CHECK(names() == Names{"hut"});
  CHECK_FALSE(other->ended);
  CHECK(other->ending.empty());
  gateways->add(id, accept(message(id, "t", "y")));  // whoever still knew its id
  CHECK(query("SELECT count(*) FROM message WHERE state = 0") == 2);

  enrol("roof");
  look();
  REQUIRE(until([&] { return gateways->find("roof") != nullptr; }));
  CHECK(gateways->find("roof")->id() == id);
  CHECK(gateways->find("roof")->scheduler().size() == 2);
}

TEST_CASE_METHOD(Fixture, "Gateways: one that comes before its queue is loaded waits for it") {
  enrol("roof");
  const auto transport = attach("roof");
  CHECK(gateways->peers().empty());
  REQUIRE(until([&] { return gateways->find("roof") != nullptr; }));
  CHECK(gateways->find("roof")->connected());
  CHECK(gateways->views().at(0).connected);
  CHECK(loaded == Names{"roof"});
}

TEST_CASE_METHOD(Fixture, "Gateways: one whose queue cannot be loaded is sent away to try again") {
  refuse("peer");
  const auto transport = attach("roof");
  CHECK(until([&] { return !transport->ending.empty(); }));
  CHECK(gateways->peers().empty());
}

TEST_CASE_METHOD(Fixture,
                 "Gateways: a message from one goes to the sinks, and the way back reaches only that one") {
  enrol("roof");
  enrol("hut");
  load_all();
  link::End roof;
  roof.open(true);
  const auto down = std::make_shared<MemoryTransport>(), up = std::make_shared<MemoryTransport>();
  up->other = down.get();
  down->other = up.get();
  transports = {down, up};
  gateways->attach("roof", down);
  roof.peer->attach(up);
  const auto turn = [&](auto condition) {
    return turn_until([&] {
      roof.peer->step();
      roof.runner.turn();
      gateways->step();
      return condition();
    });
  };
  roof.accept("help");
  REQUIRE(turn([&] { return !arrived.empty() && roof.settled > 0; }));
  CHECK(arrived.size() == 1);
  CHECK(query("SELECT count(*) FROM book WHERE edge = 1 AND accepted = 1 AND class = "
              "(SELECT id FROM class WHERE name = 'emergency')") == 1);
  CHECK(gateways->views().at(1).last_contact);
  CHECK(changes > 0);

  const auto id = gateways->find("roof")->id();
  gateways->add(id, accept(message(id, "t", "answer", queue::kEmergency)));
  REQUIRE(turn([&] { return roof.arrived.size() == 1; }));
  CHECK(roof.arrived == Names{std::to_string(std::string("tanswer").size())});
  CHECK(turn([&] { return query("SELECT count(*) FROM message WHERE state = 2 AND peer > 0") == 1; }));
  up->abort("over");
  turn_until([] { return true; });
}

TEST_CASE_METHOD(Fixture, "Gateways: the end waits for every goodbye, and nobody comes after it") {
  enrol("roof");
  enrol("hut");
  load_all();
  const auto first = attach("roof"), second = attach("hut");
  int stopped = 0;
  gateways->stop([&] { ++stopped; });
  CHECK(stopped == 0);
  CHECK(first->ending == to_string(link::ByeReason::kShuttingDown));
  REQUIRE(first->turn());
  CHECK(stopped == 0);
  const auto late = attach("roof");
  CHECK(late->ending == "not now");
  REQUIRE(second->turn());
  CHECK(stopped == 1);
}

TEST_CASE_METHOD(Fixture, "Gateways: without anyone connected the end is at once") {
  enrol("roof");
  load_all();
  int stopped = 0;
  gateways->stop([&] { ++stopped; });
  CHECK(stopped == 1);
}

TEST_CASE("Gateways: a prefix as a filter, and a topic under it taken apart") {
  CHECK(gateway_filter("down/{gateway}/") == "down/+/#");
  CHECK(gateway_filter("{gateway}/") == "+/#");
  CHECK(gateway_filter("down/{gateway}/to/") == "down/+/to/#");

  using Split = std::pair<std::string, std::string>;
  CHECK(split_gateway("down/{gateway}/", "down/roof/mesh/a") == Split("roof", "mesh/a"));
  CHECK(split_gateway("{gateway}/", "roof/a") == Split("roof", "a"));
  CHECK(split_gateway("down/{gateway}/to/", "down/roof/to/a/to/b") == Split("roof", "a/to/b"));
  for (const auto* topic :
       {"", "down", "down/", "down/roof", "down/roof/", "down//a", "up/roof/a", "dow", "Down/roof/a"}) {
    INFO(topic);
    CHECK_FALSE(split_gateway("down/{gateway}/", topic));
  }
  CHECK_FALSE(split_gateway("down/", "down/roof/a"));
}

}  // namespace tulpar
