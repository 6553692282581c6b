// SPDX-License-Identifier: Apache-2.0
#include "bridge/classifier.hpp"

#include "bridge/meshtastic/data.hpp"
#include "bridge/meshtastic/envelope.hpp"
#include "tests/bridge/classify.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::bridge;
using namespace tulpar::bridge::meshtastic;
using namespace tulpar::test;
using namespace std::chrono_literals;
using queue::DropReason;

namespace {

Verdict verdict_of(const Packet& packet) { return make_classifier().classify(kTopic, decoded(packet), kNow); }

Packet pki_to(std::uint32_t to) {
  Packet packet;
  packet.to = to;
  packet.channel = "PKI";
  packet.pki = true;
  return packet;
}

}  // namespace

TEST_CASE("classifier: the built-in class of every port") {
  const std::pair<std::uint32_t, queue::ClassId> ports[] = {
      {kTextMessage, kMessage},
      {kTextCompressed, kMessage},
      {kWaypoint, kMessage},
      {kAlert, kEmergency},
      {kGroupAlarm, kEmergency},
      {kPosition, kTelemetryClass},
      {kNodeInfo, kTelemetryClass},
      {kTelemetry, kTelemetryClass},
      {kMapReport, kTelemetryClass},
      {kPaxcounter, kTelemetryClass},
      {kNodeStatus, kTelemetryClass},
      {kCayenne, kTelemetryClass},
      {kDetectionSensor, kNormal},
      {2, kNormal},
      {72, kNormal},
      {256, kNormal},
      {511, kNormal},
      {kAudio, kBulk},
      {kSerial, kBulk},
      {kRouting, kBulk},
      {kTraceroute, kBulk},
      {kStoreForward, kBulk},
  };
  for (const auto& [port, cls] : ports) {
    INFO(port_name(port));
    const auto verdict = verdict_of(on_port(port));
    CHECK(verdict.cls == cls);
    CHECK(verdict.drop == DropReason::kNone);
    CHECK(verdict.port == port);
    CHECK(verdict.node == "!7efeee00");
    CHECK(verdict.packet == 0x7efeee0000000001);
  }
}

TEST_CASE("classifier: encrypted under a known key is the same as decoded") {
  for (const std::uint32_t port : {1u, 3u, 4u, 8u, 11u, 67u, 71u, 256u}) {
    const auto open = make_classifier().classify(kTopic, decoded(on_port(port)), kNow);
    const auto closed = make_classifier().classify(kTopic, encrypted(on_port(port)), kNow);
    CHECK(open.cls == closed.cls);
    CHECK(open.kind == closed.kind);
    CHECK(open.drop == closed.drop);
    CHECK(open.label == closed.label);
  }
}

TEST_CASE("classifier: what stays here is dropped by policy") {
  for (const auto port : {kNeighborInfo, kRangeTest, kAdmin, kRemoteShell}) {
    CHECK(verdict_of(on_port(port)).drop == DropReason::kPolicy);
    // Under an unknown key nobody can know.
    Packet packet = on_port(port);
    packet.channel = "Secret";
    const auto closed = make_classifier().classify(kTopic, encrypted(packet, Bytes(16, 9)), kNow);
    CHECK(closed.drop == DropReason::kNone);
    CHECK(closed.cls == kBulk);
  }
}

TEST_CASE("classifier: an SOS by port, bell or priority") {
  CHECK(verdict_of(on_port(kAlert, "SOS")).cls == kEmergency);
  CHECK(verdict_of(on_port(kTextMessage, "\a help")).cls == kEmergency);
  CHECK(verdict_of(on_port(kTextMessage, "help")).cls == kMessage);
  CHECK(verdict_of(on_port(kPosition, "\a")).cls == kTelemetryClass);  // binary: a 7 is no bell

  Packet alert = on_port(kPosition);
  alert.priority = kPriorityAlert;
  const auto position = verdict_of(alert);
  CHECK(position.cls == kEmergency);
  CHECK(position.kind == 0);  // never conflated
  alert.priority = 120;       // acknowledgements are more urgent on the air, but no emergency
  CHECK(verdict_of(alert).cls == kTelemetryClass);

  // Its own node says so outside the encryption.
  alert.priority = kPriorityAlert;
  alert.channel = "Secret";
  CHECK(make_classifier().classify(kTopic, encrypted(alert, Bytes(16, 9)), kNow).cls == kEmergency);
}

TEST_CASE("classifier: the fourth SOS at once goes as a flagged message, and copies do not count") {
  auto classifier = make_classifier();
  Packet sos = on_port(kAlert, "SOS");
  for (std::uint32_t id = 1; id <= 3; ++id) {
    sos.id = id;
    for (const auto* gateway : {"!00000001", "!00000002", "!00000003", "!00000004"}) {
      sos.gateway = gateway;
      const auto verdict = classifier.classify(kTopic, decoded(sos), kNow);
      CHECK(verdict.cls == kEmergency);
      CHECK_FALSE(verdict.flagged);
    }
  }
  sos.id = 4;
  const auto fourth = classifier.classify(kTopic, decoded(sos), kNow);
  CHECK(fourth.cls == kMessage);
  CHECK(fourth.flagged);
  CHECK(fourth.drop == DropReason::kNone);
  CHECK(fourth.kind == 0);
  sos.from = 0x11111111;
  CHECK(classifier.classify(kTopic, decoded(sos), kNow).cls == kEmergency);
  sos.from = 0x7efeee00;
  sos.id = 5;
  CHECK(classifier.classify(kTopic, decoded(sos), kNow + 10min).cls == kEmergency);
}

TEST_CASE("classifier: conflation only in a class that keeps the latest, and only of broadcasts") {
  Packet position = on_port(kPosition);
  CHECK(verdict_of(position).kind == make_kind(kPosition));
  position.to = 0x12345678;
  CHECK(verdict_of(position).kind == 0);
  position.to = kBroadcast;
  auto elsewhere = make_classifier({rule("#", "normal")});
  CHECK(elsewhere.classify(kTopic, decoded(position), kNow).kind == 0);

  auto chatty = make_classifier({rule("#", "telemetry")});
  CHECK(chatty.classify(kTopic, decoded(on_port(kTextMessage)), kNow).kind == 0);
  CHECK(chatty.classify(kTopic, decoded(position), kNow).kind == make_kind(kPosition));
  CHECK(chatty.classify("mesh/n1/door", {}, kNow).kind == 0);

  Packet secret = on_port(kPosition);
  secret.channel = "Secret";
  CHECK(chatty.classify(kTopic, encrypted(secret, Bytes(16, 9)), kNow).kind == 0);
}

TEST_CASE(
    "classifier: an emergency is never conflated, whatever its class or the one it falls to is told to keep") {
  auto classes = config::default_classes();
  for (auto& cls : classes) cls.latest_only = true;
  auto classifier = *Classifier::create(classes, {}, default_keys());
  Packet alert = on_port(kPosition);
  alert.priority = kPriorityAlert;
  for (alert.id = 1; alert.id <= 4; ++alert.id) {
    const auto verdict = classifier.classify(kTopic, decoded(alert), kNow);
    CHECK(verdict.kind == 0);
    CHECK(verdict.flagged == (alert.id == 4));
  }
}

TEST_CASE("classifier: PKI goes as a message unless its addressee was heard here within 24 h") {
  auto classifier = make_classifier();
  const auto dm = envelope_of(pki_to(0xaaaaaaaa), 5, "sealed", 0);
  const std::string topic = "msh/EU_868/2/e/PKI/!0000beef";
  CHECK(classifier.classify(topic, dm, kNow).cls == kMessage);

  Packet addressee = on_port(kPosition);
  addressee.from = 0xaaaaaaaa;
  classifier.classify(kTopic, decoded(addressee), kNow);
  CHECK(classifier.classify(topic, dm, kNow).cls == kBulk);
  CHECK(classifier.classify(topic, dm, kNow + 24h - 1ms).cls == kBulk);
  const auto later = classifier.classify(topic, dm, kNow + 24h);
  CHECK(later.cls == kMessage);
  CHECK(later.label == "PKI");
  CHECK(later.port == std::nullopt);
  CHECK(later.kind == 0);

  // To all under one receiver's key makes no sense; it is not worth a message's place.
  const auto odd = envelope_of(pki_to(kBroadcast), 5, "sealed", 0);
  CHECK(classifier.classify(topic, odd, kNow).cls == kBulk);
}

TEST_CASE("classifier: answers between local nodes are bulk, towards others they complete a conversation") {
  auto classifier = make_classifier();
  Packet ack = on_port(kRouting);
  ack.to = 0xaaaaaaaa;
  CHECK(classifier.classify(kTopic, decoded(ack), kNow).cls == kNormal);
  Packet addressee = on_port(kPosition);
  addressee.from = 0xaaaaaaaa;
  classifier.classify(kTopic, decoded(addressee), kNow);
  CHECK(classifier.classify(kTopic, decoded(ack), kNow).cls == kBulk);
}

TEST_CASE("classifier: a text that a store-and-forward node kept is a message") {
  CHECK(verdict_of(on_port(kStoreForward, "\x08\x09\x2a\x02hi")).cls == kMessage);
  CHECK(verdict_of(on_port(kStoreForward, "\x08\x02")).cls == kBulk);
}

TEST_CASE("classifier: JSON and malformed packets are bulk, under their gateway's name") {
  auto classifier = make_classifier();
  const auto json = classifier.classify("msh/2/json/LongFast/!0000beef", to_bytes("{}"), kNow);
  CHECK(json.cls == kBulk);
  CHECK(json.node == "!0000beef");
  CHECK(json.label == "JSON");
  CHECK(json.error.empty());

  const auto bad = classifier.classify(kTopic, to_bytes("hello"), kNow);
  CHECK(bad.cls == kBulk);
  CHECK(bad.node == "!0000beef");
  CHECK(bad.label == "malformed");
  CHECK(bad.error == "ServiceEnvelope: cut short or not protobuf");
  CHECK(bad.packet == 0);
  CHECK(classifier.classify("msh/EU_868/2/map/", to_bytes("hello"), kNow).label == "malformed");

  // A stranger's topic that only looks alike.
  const auto foreign = classifier.classify("plant/hall/2/e/pump/state", to_bytes("on"), kNow);
  CHECK(foreign.cls == kNormal);
  CHECK(foreign.node == "hall");
  CHECK(foreign.error.empty());
}

TEST_CASE("classifier: anything else is normal, its node a topic level") {
  auto classifier = make_classifier();
  const auto sensor = classifier.classify("mesh/n1/door", to_bytes("open"), kNow);
  CHECK(sensor.cls == kNormal);
  CHECK(sensor.node == "n1");
  CHECK(sensor.packet == 0);
  CHECK(sensor.label.empty());
  CHECK(classifier.classify("sos", {}, kNow).node.empty());

  auto third = rule("plant/#", "normal");
  third.node = 3;
  auto ruled = make_classifier({third});
  CHECK(ruled.classify("plant/hall/pump/state", {}, kNow).node == "pump");
  CHECK(ruled.classify("plant/hall", {}, kNow).node.empty());

  const std::string name = std::string(63, 'n') + "é";
  CHECK(classifier.classify("mesh/" + name + "/door", {}, kNow).node == std::string(63, 'n'));
}

TEST_CASE("classifier: a flood of invented senders is forgotten, not stored") {
  auto classifier = make_classifier();
  const auto dm = envelope_of(pki_to(0xaaaaaaaa), 5, "sealed", 0);
  Packet packet = on_port(kPosition);
  packet.from = 0xaaaaaaaa;
  classifier.classify(kTopic, decoded(packet), kNow);
  for (std::uint32_t i = 0; i < Classifier::kMaxHeard; ++i) {
    packet.from = 0x10000000 + i;
    classifier.classify(kTopic, decoded(packet), kNow);
  }
  // Forgotten means taken to be elsewhere: the better class, so nobody's message suffers.
  CHECK(classifier.classify("msh/2/e/PKI/!0000beef", dm, kNow).cls == kMessage);
}
