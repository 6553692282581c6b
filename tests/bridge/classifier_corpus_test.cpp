// SPDX-License-Identifier: Apache-2.0
//
// A thousand recorded packets, once decoded and once encrypted: with the public key both must be judged alike.
#include <map>

#include "bridge/classifier.hpp"
#include "tests/bridge/mesh.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::bridge;

namespace {

std::vector<Verdict> classify_all(const std::vector<test::Recorded>& recording, meshtastic::KeyRing keys) {
  auto classifier = *Classifier::create(config::default_classes(), {}, std::move(keys));
  std::vector<Verdict> verdicts;
  for (const auto& message : recording) {
    const BootTime now{std::chrono::seconds(message.seconds - recording.front().seconds)};
    verdicts.push_back(classifier.classify(message.topic, message.payload, now));
  }
  return verdicts;
}

std::map<std::string, int> count(const std::vector<Verdict>& verdicts) {
  std::map<std::string, int> counts;
  for (const auto& verdict : verdicts) {
    ++counts[config::default_classes()[verdict.cls].name];
    counts["conflatable"] += verdict.kind != 0;
    counts["dropped"] += verdict.drop != queue::DropReason::kNone;
    counts["malformed"] += !verdict.error.empty();
    counts["flagged"] += verdict.flagged;
  }
  return counts;
}

}  // namespace

TEST_CASE("recording: encrypted and decoded packets are judged alike") {
  const auto open = test::read_recording("corpus/mesh_decoded.jsonl");
  const auto closed = test::read_recording("corpus/mesh_encrypted.jsonl");
  if (open.empty() || closed.empty()) {
    WARN("SKIPPED: corpus/mesh_*.jsonl not found, set TULPAR_SHARED");
    return;
  }
  REQUIRE(open.size() == closed.size());
  const auto of_open = classify_all(open, test::default_keys());
  const auto of_closed = classify_all(closed, test::default_keys());
  for (std::size_t i = 0; i < open.size(); ++i) {
    INFO("line " << i + 1);
    CHECK(of_open[i].cls == of_closed[i].cls);
    CHECK(of_open[i].node == of_closed[i].node);
    CHECK(of_open[i].kind == of_closed[i].kind);
    CHECK(of_open[i].packet == of_closed[i].packet);
    CHECK(of_open[i].drop == of_closed[i].drop);
    CHECK(of_open[i].label == of_closed[i].label);
  }
  const auto counts = count(of_open);
  for (const auto& [name, n] : counts) UNSCOPED_INFO(name << " " << n);
  // Counted independently: 12 texts, 505 positions and 347 telemetry, all of them broadcasts; 136 that nobody
  // opens.
  const std::map<std::string, int> expected = {{"message", 12},      {"telemetry", 852}, {"bulk", 136},
                                               {"conflatable", 852}, {"dropped", 0},     {"malformed", 0},
                                               {"flagged", 0}};
  CHECK(counts == expected);
  CHECK(count(of_closed) == expected);
}

TEST_CASE("recording: without keys the encrypted packets are all bulk") {
  const auto closed = test::read_recording("corpus/mesh_encrypted.jsonl");
  if (closed.empty()) {
    WARN("SKIPPED: corpus/mesh_encrypted.jsonl not found, set TULPAR_SHARED");
    return;
  }
  CHECK(count(classify_all(closed, {})).at("bulk") == static_cast<int>(closed.size()));
}
