// SPDX-License-Identifier: Apache-2.0
//
// A peer whose disk, or the other side's, refuses what it has to remember.
#include "gateway/link/peer.hpp"

#include "tests/catch.hpp"
#include "tests/gateway/link/memory_link.hpp"

namespace tulpar::link {
namespace {

struct Fixture : LinkedPair {
  void restart_gateway() {
    up->abort("killed");
    settle();
    gateway.peer.reset();
    gateway.files.reopen();
    gateway.open(true);
  }
  std::int64_t floor() { return gateway.files.query("SELECT batch_floor FROM peer"); }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "Peer: the bytes of a session are booked to the last one when it ends") {
  greet();
  gateway.accept("help");
  run(Millis{500});
  up->count.up += 40;  // since the last look
  up->abort("cut");
  const auto wire = up->count;
  run(Millis{20'000});
  const auto disk = gateway.files.run([&](queue::Store& s) { return s.totals(gateway.files.link); });
  CHECK(disk.wire_up == static_cast<std::int64_t>(wire.up));
  CHECK(disk.wire_down == static_cast<std::int64_t>(wire.down));
}

TEST_CASE_METHOD(Fixture, "Peer: what a new life voids is acknowledged when it is on the other side's disk") {
  greet();
  gateway.accept("help");
  run(Millis{1000});
  restart_gateway();
  const auto before = floor();
  relay.runner.refuse = true;
  greet();
  CHECK(floor() == before);
  relay.runner.refuse = false;
  up->abort("cut");
  greet();
  CHECK(floor() > before);
}

TEST_CASE_METHOD(Fixture, "Peer: a gateway that the relay's disk could not remember is met anew") {
  relay.runner.refuse = true;
  greet();
  relay.runner.refuse = false;
  gateway.accept("help");
  run(Millis{2000});
  // It was told that the store refuses, and hung up; the program dials again.
  if (!gateway.peer->connected()) connect();
  run(Millis{20'000});
  CHECK(relay.arrived.size() == 1);
  CHECK(relay.files.query("SELECT incarnation FROM peer") != 0);
}

}  // namespace tulpar::link
