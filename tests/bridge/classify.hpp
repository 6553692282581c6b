// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the classifier share: a classifier with the default classes and the public key, and its
// inputs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "bridge/classifier.hpp"
#include "tests/bridge/mesh.hpp"

namespace tulpar::test {

inline constexpr BootTime kNow{std::chrono::hours(1)};
inline const std::string kTopic = "msh/EU_868/2/e/LongFast/!0000beef";

// The default classes, in DESIGN's order.
enum : queue::ClassId { kEmergency, kMessage, kNormal, kTelemetryClass, kBulk };

inline bridge::Classifier make_classifier(const std::vector<config::Rule>& rules = {}) {
  return *bridge::Classifier::create(config::default_classes(), rules, default_keys());
}

inline config::Rule rule(const std::string& topic, const std::string& cls) {
  config::Rule made;
  made.topic = topic;
  made.cls = cls;
  return made;
}

inline Packet on_port(std::uint32_t port, std::string payload = "x") {
  Packet packet;
  packet.port = port;
  packet.payload = std::move(payload);
  return packet;
}

}  // namespace tulpar::test
