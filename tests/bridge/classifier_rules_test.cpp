// SPDX-License-Identifier: Apache-2.0
//
// The classifier and what an operator configures: rules, classes, limits.
#include "bridge/classifier.hpp"

#include "bridge/meshtastic/data.hpp"
#include "tests/bridge/classify.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::bridge;
using namespace tulpar::bridge::meshtastic;
using namespace tulpar::test;
using queue::DropReason;

namespace {

std::string error_of(const config::Rule& bad) {
  const auto made = Classifier::create(config::default_classes(), {rule("#", "bulk"), bad}, {});
  return made ? "" : made.error().message;
}

}  // namespace

TEST_CASE("classifier: a general rule lets nothing leave that stays here, one that names the port does") {
  const auto packet = decoded(on_port(kNeighborInfo));
  auto general = make_classifier({rule("msh/#", "normal")});
  CHECK(general.classify(kTopic, packet, kNow).drop == DropReason::kPolicy);
  auto named = rule("#", "normal");
  named.port = kNeighborInfo;
  auto special = make_classifier({named});
  CHECK(special.classify(kTopic, packet, kNow).drop == DropReason::kNone);
  CHECK(special.classify(kTopic, packet, kNow).cls == kNormal);
}

TEST_CASE("classifier: emergencies that a rule makes are limited too, node by node") {
  auto classifier = make_classifier({rule("mesh/+/sos", "emergency")});
  for (int i = 0; i < 3; ++i) CHECK(classifier.classify("mesh/n1/sos", {}, kNow).cls == kEmergency);
  CHECK(classifier.classify("mesh/n1/sos", {}, kNow).flagged);
  CHECK(classifier.classify("mesh/n2/sos", {}, kNow).cls == kEmergency);
}

TEST_CASE("classifier: the first matching rule wins, each condition counts") {
  config::Rule by_port = rule("#", "bulk");
  by_port.port = kTextMessage;
  config::Rule by_channel = rule("#", "normal");
  by_channel.channel = "MediumFast";
  config::Rule by_sender = rule("#", "telemetry");
  by_sender.from = "!7EFEEE00";
  const auto text = decoded(on_port(kTextMessage));
  CHECK(make_classifier({by_port, by_sender}).classify(kTopic, text, kNow).cls == kBulk);
  CHECK(make_classifier({by_sender, by_port}).classify(kTopic, text, kNow).cls == kTelemetryClass);
  CHECK(make_classifier({by_channel, by_sender}).classify(kTopic, text, kNow).cls == kTelemetryClass);

  Packet medium = on_port(kTextMessage);
  medium.channel = "MediumFast";
  CHECK(make_classifier({by_channel}).classify(kTopic, decoded(medium), kNow).cls == kNormal);
  medium.channel = "mediumfast";
  CHECK(make_classifier({by_channel}).classify(kTopic, decoded(medium), kNow).cls == kMessage);

  Packet other = on_port(kTextMessage);
  other.from = 0x11111111;
  CHECK(make_classifier({by_sender}).classify(kTopic, decoded(other), kNow).cls == kMessage);
  config::Rule both = by_sender;
  both.topic = "other/#";
  CHECK(make_classifier({both}).classify(kTopic, text, kNow).cls == kMessage);
}

TEST_CASE("classifier: conditions on packets never hold for what is none or can't be read") {
  config::Rule by_port = rule("#", "emergency");
  by_port.port = 0;
  config::Rule by_channel = rule("#", "emergency");
  by_channel.channel = "LongFast";
  config::Rule by_sender = rule("#", "emergency");
  by_sender.from = "!0000beef";
  auto classifier = make_classifier({by_port, by_channel, by_sender});
  CHECK(classifier.classify("mesh/n1/door", {}, kNow).cls == kNormal);
  CHECK(classifier.classify(kTopic, to_bytes("hello"), kNow).cls == kBulk);
  Packet secret = on_port(kTextMessage);
  secret.channel = "Secret";
  CHECK(classifier.classify(kTopic, encrypted(secret, Bytes(16, 9)), kNow).cls == kBulk);
}

TEST_CASE("classifier: sizes are inclusive") {
  config::Rule sized = rule("#", "bulk");
  sized.min_size = 10;
  sized.max_size = 20;
  auto classifier = make_classifier({sized});
  CHECK(classifier.classify("a/b", Bytes(9), kNow).cls == kNormal);
  CHECK(classifier.classify("a/b", Bytes(10), kNow).cls == kBulk);
  CHECK(classifier.classify("a/b", Bytes(20), kNow).cls == kBulk);
  CHECK(classifier.classify("a/b", Bytes(21), kNow).cls == kNormal);
}

TEST_CASE("classifier: a rule may drop, for packets and for others") {
  config::Rule drop;
  drop.topic = "msh/#";
  drop.drop = true;
  auto classifier = make_classifier({drop});
  CHECK(classifier.classify(kTopic, decoded(on_port(kTextMessage)), kNow).drop == DropReason::kPolicy);
  CHECK(classifier.classify("msh/x", {}, kNow).drop == DropReason::kPolicy);
  CHECK(classifier.classify("mesh/x", {}, kNow).drop == DropReason::kNone);
}

TEST_CASE("classifier: what is too large is dropped and takes nothing from its node's emergencies") {
  auto classifier = make_classifier({rule("mesh/+/sos", "emergency")});
  CHECK(classifier.classify("mesh/n1/x", Bytes(config::kMaxPayload), kNow).drop == DropReason::kNone);
  const Bytes large(config::kMaxPayload + 1);
  for (int i = 0; i < 5; ++i) {
    const auto verdict = classifier.classify("mesh/n1/sos", large, kNow);
    CHECK(verdict.drop == DropReason::kTooLarge);
    CHECK(verdict.cls == kEmergency);
  }
  CHECK(classifier.classify("mesh/n1/sos", {}, kNow).cls == kEmergency);
}

TEST_CASE("classifier: classes are found by name, a missing one is replaced by normal, else by the last") {
  const auto classes = [](std::vector<std::string> names) {
    std::vector<config::MessageClass> made;
    for (auto& name : names) {
      made.emplace_back();
      made.back().name = std::move(name);
    }
    return made;
  };
  const auto cls = [&](std::vector<std::string> names, std::uint32_t port) {
    auto classifier = *Classifier::create(classes(std::move(names)), {}, {});
    return classifier.classify(kTopic, decoded(on_port(port)), kNow).cls;
  };
  CHECK(cls({"emergency", "bulk", "message", "normal"}, kTextMessage) == 2);
  CHECK(cls({"emergency", "bulk", "message", "normal"}, kPosition) == 3);
  CHECK(cls({"emergency", "a", "b"}, kTextMessage) == 2);
  CHECK(cls({"emergency", "a", "b"}, kAlert) == 0);
  CHECK_FALSE(Classifier::create({}, {}, {}).has_value());
  CHECK_FALSE(Classifier::create(std::vector<config::MessageClass>(256), {}, {}).has_value());
}

TEST_CASE("classifier: a rule that can't be meant is an error with its number") {
  CHECK(error_of(rule("a/#/b", "bulk")) == "rule 2: topic = \"a/#/b\" is no MQTT topic filter");
  CHECK(error_of(rule("#", "urgent")) == "rule 2: class = \"urgent\" is not configured");
  CHECK(error_of(rule("#", "")) == "rule 2: needs a class, or drop = true");
  auto bad = rule("#", "bulk");
  bad.from = "7efeee00";
  CHECK(error_of(bad) == "rule 2: from = \"7efeee00\" is no node, as \"!7efeee00\" is");
  bad = rule("#", "bulk");
  bad.node = 0;
  CHECK(error_of(bad) == "rule 2: node = 0; topic levels are counted from 1");
}
