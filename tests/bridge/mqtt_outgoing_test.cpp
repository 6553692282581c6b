// SPDX-License-Identifier: Apache-2.0
#include "bridge/mqtt_outgoing.hpp"

#include "tests/catch.hpp"

namespace tulpar::bridge {
namespace {

TEST_CASE("Outgoing topic: prefix, with the gateway's name where it asks for it", "[outgoing]") {
  CHECK(*outgoing_topic("", "almaty", "msh/x") == "msh/x");
  CHECK(*outgoing_topic("from/{gateway}/", "almaty", "msh/x") == "from/almaty/msh/x");
  CHECK(*outgoing_topic("{gateway}/{gateway}/", "a", "t") == "a/a/t");
  // A gateway of that name must not be replaced for ever, nor in the topic.
  CHECK(*outgoing_topic("{gateway}/", "{gateway}", "t/{gateway}") == "{gateway}/t/{gateway}");
}

TEST_CASE("Outgoing topic: what nobody may publish is an error", "[outgoing]") {
  CHECK(outgoing_topic("", "a", "").has_error());
  CHECK(outgoing_topic("", "a", "msh/#").has_error());
  CHECK(outgoing_topic("{gateway}/", "a+b", "t").has_error());
  CHECK(outgoing_topic("", "a", "$SYS/broker").has_error());
  CHECK(outgoing_topic("x/", "a", "$SYS/broker").has_value());
  CHECK(outgoing_topic("", "a", std::string(65'535, 't')).has_value());
  CHECK(outgoing_topic("x", "a", std::string(65'535, 't')).has_error());
  CHECK(outgoing_topic("", "a", "bad\xff").has_error());
}

TEST_CASE("tulpar-id: incarnation and number, or this store's own", "[outgoing]") {
  CHECK(tulpar_id({.incarnation = 0x1234abcd, .number = 42}, 7) == "000000001234abcd-42");
  CHECK(tulpar_id({.incarnation = 0xffffffffffffffff, .number = 18446744073709551615u}, 7) ==
        "ffffffffffffffff-18446744073709551615");
  CHECK(tulpar_id({}, 7) == "0000000000000000-7");
}

// By hand, from MQTT 5.0, 3.3: fixed header, topic, packet identifier, property length, 0x26, two strings,
// payload.
TEST_CASE("PUBLISH size", "[outgoing]") {
  CHECK(publish_size("t", "id", 5, true) == 2 + (2 + 1) + 2 + 1 + (1 + 2 + 9 + 2 + 2) + 5);
  CHECK(publish_size("t", "id", 5, false) == 2 + (2 + 1) + 2 + 5);
  CHECK(publish_size("t", "", 122, false) == 2 + 5 + 122);  // 127 in the varint
  CHECK(publish_size("t", "", 123, false) == 3 + 5 + 123);
  CHECK(publish_size("t", "", 16'378, false) == 3 + 5 + 16'378);
  CHECK(publish_size("t", "", 16'379, false) == 4 + 5 + 16'379);
  CHECK(publish_size("t", "", 2'097'147, false) == 5 + 5 + 2'097'147);
}

TEST_CASE("What a broker's answer means", "[outgoing]") {
  CHECK(publish_outcome(0x00) == PublishOutcome::kTaken);
  CHECK(publish_outcome(0x10) == PublishOutcome::kTaken);  // nobody subscribes: the broker did its part
  for (const int later : {0x80, 0x83, 0x91, 0x97})
    CHECK(publish_outcome(static_cast<std::uint8_t>(later)) == PublishOutcome::kLater);
  CHECK(publish_outcome(0x87) == PublishOutcome::kForbidden);
  for (const int never : {0x90, 0x95, 0x99, 0xff}) {
    CHECK(publish_outcome(static_cast<std::uint8_t>(never)) == PublishOutcome::kRefused);
  }
}

}  // namespace
}  // namespace tulpar::bridge
