// SPDX-License-Identifier: Apache-2.0
#include "bridge/meshtastic/topic.hpp"

#include "tests/catch.hpp"

using namespace tulpar::bridge::meshtastic;

TEST_CASE("meshtastic topic: the forms, under roots of any depth") {
  for (const std::string root : {"msh", "msh/EU_868", "msh/US/CA/SoCal", "", "2", "msh/2/e", "2/2/2"}) {
    INFO(root);
    const std::string topic = root + "/2/e/Long Fäst/!7efeee00";
    const auto envelope = parse_topic(topic);
    REQUIRE(envelope.has_value());
    CHECK(envelope->form == TopicForm::kEnvelope);
    CHECK(envelope->channel == "Long Fäst");
    CHECK(envelope->gateway == 0x7efeee00);

    CHECK(parse_topic(root + "/2/c/LongFast/!7efeee00")->form == TopicForm::kEnvelope);
    CHECK(parse_topic(root + "/2/e/PKI/!7efeee00")->form == TopicForm::kEnvelope);
    CHECK(parse_topic(root + "/2/json/LongFast/!7efeee00")->form == TopicForm::kJson);
    CHECK(parse_topic(root + "/2/json/mqtt/")->form == TopicForm::kJson);

    const auto map = parse_topic(root + "/2/map/");
    REQUIRE(map);
    CHECK(map->form == TopicForm::kMap);
    CHECK_FALSE(map->gateway);
  }
}

TEST_CASE("meshtastic topic: the last level need not be a node") {
  const auto topic = parse_topic("msh/2/e/LongFast/bridge");
  REQUIRE(topic);
  CHECK_FALSE(topic->gateway);
}

TEST_CASE("meshtastic topic: what is none") {
  for (const auto topic :
       {"", "/", "msh", "2/e/LongFast/!7efeee00", "msh/2/e/LongFast", "msh/2/e/LongFast/!7efeee00/x",
        "msh/2/x/LongFast/!7efeee00", "msh/2/E/LongFast/!7efeee00", "msh/3/e/LongFast/!7efeee00", "msh/2/map",
        "msh/2/map/!7efeee00", "msh/2/stat/!7efeee00", "2/map/", "mesh/n1/sos"}) {
    INFO(topic);
    CHECK_FALSE(parse_topic(topic));
  }
}

TEST_CASE("meshtastic topic: node numbers") {
  CHECK(node_id(0x7efeee00) == "!7efeee00");
  CHECK(node_id(1) == "!00000001");
  CHECK(node_id(kBroadcast) == "!ffffffff");
  CHECK(parse_node_id("!7efeee00") == 0x7efeee00);
  CHECK(parse_node_id("!7EFEEE00") == 0x7efeee00);
  CHECK(parse_node_id("!00000000") == 0u);
  for (const auto bad : {"", "!", "7efeee00", "!7efeee0", "!7efeee000", "!7efeee0g", "!0x7efee0", "!-7efeee0",
                         "! 7efeee0", "!7efeee0 ", "^7efeee00"}) {
    INFO(bad);
    CHECK_FALSE(parse_node_id(bad));
  }
}
