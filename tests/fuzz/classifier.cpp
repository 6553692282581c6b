// SPDX-License-Identifier: Apache-2.0
//
// The classifier over a row of messages, under rules that the input makes: what it says keeps its bounds, and
// no node cries SOS oftener than it may.
//
// Input: the number of rules, the rules, then messages: seconds since the last one, topic, payload.
#include "bridge/classifier.hpp"

#include <map>
#include <set>

#include "bridge/topic_filter.hpp"
#include "tests/bridge/classify.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace tulpar;
using namespace tulpar::bridge;
using tulpar::fuzz::Input;
using tulpar::fuzz::require;

namespace {

config::Rule rule_from(Input& in) {
  config::Rule rule;
  const std::uint8_t has = in.u8();
  const auto topic = as_text(in.block());
  // The loader has checked these.
  if (valid_filter(topic)) rule.topic = topic;
  const auto classes = config::default_classes();
  rule.cls = has & 1 ? "" : classes[in.u8() % classes.size()].name;
  rule.drop = has & 1;
  rule.node = 1 + in.u8();
  if (has & 2) rule.port = in.u16();
  if (has & 4) rule.channel = as_text(in.block());
  if (has & 8) rule.from = meshtastic::node_id(in.u32());
  if (has & 16) rule.min_size = in.number();
  if (has & 32) rule.max_size = in.number();
  return rule;
}

void judge(const Verdict& verdict) {
  require(verdict.cls < config::default_classes().size(), "a class is one of the configured");
  require(verdict.node.size() <= Classifier::kMaxNodeName, "a node's name has a bound");
  require(verdict.kind == 0 || verdict.cls != queue::kEmergency, "an emergency replaces nothing");
  const auto why = verdict.drop;
  require(why == queue::DropReason::kNone || why == queue::DropReason::kPolicy ||
              why == queue::DropReason::kTooLarge,
          "a message is dropped by policy or for its size");
  require(!verdict.flagged || (verdict.cls == test::kMessage && why == queue::DropReason::kNone),
          "an emergency beyond the limit goes as a message");
  require(verdict.error.empty() || verdict.label == "malformed", "what is malformed is called so");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input in(data, size);
  std::vector<config::Rule> rules;
  for (int count = in.u8() % 4; count > 0; --count) rules.push_back(rule_from(in));
  auto classifier = Classifier::create(config::default_classes(), rules, test::default_keys());
  require(classifier.has_value(), "rules that were checked are taken");

  BootTime now = test::kNow;
  std::map<std::string, int> cried;  // emergencies that are no copies
  std::set<std::pair<std::string, std::uint64_t>> seen;
  while (!in.empty()) {
    now += std::chrono::seconds(in.number() % 100'000);
    const auto topic = as_text(in.block());
    const auto payload = in.bytes(in.u16());
    if (!valid_topic(topic)) continue;
    const auto verdict = classifier->classify(topic, payload, now);
    judge(verdict);
    if (verdict.cls != queue::kEmergency || verdict.drop != queue::DropReason::kNone) continue;
    if (verdict.packet && !seen.emplace(verdict.node, verdict.packet).second) continue;
    const auto may = EmergencyLimit::kAtOnce + (now - test::kNow) / EmergencyLimit::kInterval;
    require(++cried[verdict.node] <= may, "three SOS at once, then one in ten minutes");
  }
  return 0;
}
