// SPDX-License-Identifier: Apache-2.0
#include "bridge/audience.hpp"

#include "tests/bridge/classify.hpp"
#include "tests/catch.hpp"

namespace tulpar::bridge {
namespace {

using test::kTopic;

config::Sink sink_for(std::string host, std::optional<config::Audience> audience = {}, bool rescue = false) {
  config::Sink sink;
  sink.host = std::move(host);
  sink.audience = audience;
  sink.rescue = rescue;
  return sink;
}

struct Fixture {
  meshtastic::KeyRing keys = test::default_keys();
  config::Sink open = sink_for("mqtt.example.org");

  bool leaves(const config::Sink& sink, const Bytes& payload, queue::ClassId cls = test::kMessage) {
    return may_leave(sink, keys, cls, kTopic, payload);
  }
};

TEST_CASE_METHOD(Fixture, "Audience: a private sink takes everything", "[audience]") {
  CHECK(leaves(sink_for("127.0.0.1"), Bytes{1, 2, 3}));
  CHECK(leaves(sink_for("mqtt.example.org", config::Audience::kPrivate), test::decoded({})));
}

TEST_CASE_METHOD(Fixture, "Audience: the public gets what its sender allowed, and nothing that says nothing",
                 "[audience]") {
  test::Packet packet;
  CHECK_FALSE(leaves(open, test::decoded(packet)));
  packet.bitfield = 0;
  CHECK_FALSE(leaves(open, test::decoded(packet)));
  packet.bitfield = 2;  // another flag
  CHECK_FALSE(leaves(open, test::encrypted(packet)));
  packet.bitfield = 1;
  CHECK(leaves(open, test::decoded(packet)));
  CHECK(leaves(open, test::encrypted(packet)));
  CHECK_FALSE(leaves(sink_for("127.0.0.1", config::Audience::kPublic), test::decoded({})));
}

TEST_CASE_METHOD(Fixture, "Audience: what no key opens, or is no packet, stays from the public", "[audience]") {
  test::Packet packet;
  packet.bitfield = 1;
  CHECK_FALSE(leaves(open, test::encrypted(packet, Bytes(16, 7))));
  CHECK_FALSE(leaves(open, Bytes{1, 2, 3}));
  CHECK_FALSE(may_leave(open, keys, test::kMessage, "mesh/door", test::decoded(packet)));
}

TEST_CASE_METHOD(Fixture, "Audience: with rescue an emergency leaves regardless, and only that", "[audience]") {
  const auto rescue = sink_for("mqtt.example.org", {}, true);
  CHECK(leaves(rescue, Bytes{1, 2, 3}, test::kEmergency));
  CHECK_FALSE(leaves(rescue, test::decoded({}), test::kMessage));
  CHECK_FALSE(leaves(open, test::decoded({}), test::kEmergency));
}

}  // namespace
}  // namespace tulpar::bridge
