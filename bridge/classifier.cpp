// SPDX-License-Identifier: Apache-2.0
#include "bridge/classifier.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "bridge/meshtastic/data.hpp"
#include "bridge/meshtastic/envelope.hpp"
#include "bridge/topic_filter.hpp"
#include "bridge/utf8.hpp"

namespace tulpar::bridge {
namespace {

namespace mt = meshtastic;
using queue::ClassId;

// What never leaves (DESIGN.md, Classes), unless a rule names its very port.
bool stays_here(std::uint32_t port) {
  return port == mt::kNeighborInfo || port == mt::kRangeTest || port == mt::kAdmin || port == mt::kRemoteShell;
}

bool is_emergency(const mt::PacketInfo& packet) {
  // The priority stands outside the encryption: the sender's own node tells us of an alert that we cannot read.
  if (packet.priority == mt::kPriorityAlert) return true;
  if (packet.port == mt::kAlert || packet.port == mt::kGroupAlarm) return true;
  return packet.port == mt::kTextMessage && mt::contains_bell(packet.payload);
}

std::string node_of_level(std::string_view topic, int level) {
  return std::string(utf8_prefix(topic_level(topic, level).value_or(""), Classifier::kMaxNodeName));
}

}  // namespace

Result<Classifier> Classifier::create(const std::vector<config::MessageClass>& classes,
                                      const std::vector<config::Rule>& rules, mt::KeyRing keys) {
  if (classes.empty() || classes.size() > 255) {
    return Error{fmt::format("{} classes; 1 to 255 are allowed", classes.size())};
  }
  Classifier made(std::move(keys));
  made.classes_ = classes;
  made.message_ = made.default_class("message");
  made.normal_ = made.default_class("normal");
  made.telemetry_ = made.default_class("telemetry");
  made.bulk_ = made.default_class("bulk");
  for (std::size_t i = 0; i < rules.size(); ++i) {
    if (const auto ok = made.compile(rules[i]); !ok) {
      return Error{fmt::format("rule {}: {}", i + 1, ok.error().message)};
    }
  }
  return made;
}

Result<void> Classifier::compile(const config::Rule& rule) {
  if (!valid_filter(rule.topic))
    return Error{fmt::format("topic = \"{}\" is no MQTT topic filter", rule.topic)};
  if (rule.node < 1) return Error{fmt::format("node = {}; topic levels are counted from 1", rule.node)};
  CompiledRule made{rule, bulk_, std::nullopt};
  if (!rule.cls.empty()) {
    const auto cls = find_class(rule.cls);
    if (!cls) return Error{fmt::format("class = \"{}\" is not configured", rule.cls)};
    made.cls = *cls;
  } else if (!rule.drop) {
    return Error{"needs a class, or drop = true"};
  }
  if (!rule.from.empty()) {
    made.from = mt::parse_node_id(rule.from);
    if (!made.from) return Error{fmt::format("from = \"{}\" is no node, as \"!7efeee00\" is", rule.from)};
  }
  rules_.push_back(std::move(made));
  return {};
}

std::optional<ClassId> Classifier::find_class(std::string_view name) const {
  const auto found =
      std::find_if(classes_.begin(), classes_.end(), [name](const auto& cls) { return cls.name == name; });
  if (found == classes_.end()) return std::nullopt;
  return static_cast<ClassId>(found - classes_.begin());
}

ClassId Classifier::default_class(std::string_view name) const {
  if (const auto cls = find_class(name)) return *cls;
  return find_class("normal").value_or(static_cast<ClassId>(classes_.size() - 1));
}

const Classifier::CompiledRule* Classifier::match(std::string_view topic, ByteView payload,
                                                  const PacketInfo* packet) const {
  const auto found = std::find_if(rules_.begin(), rules_.end(), [&](const CompiledRule& compiled) {
    const auto& rule = compiled.rule;
    if (rule.port && (!packet || !packet->readable || packet->port != *rule.port)) return false;
    if (!rule.channel.empty() && (!packet || packet->channel != rule.channel)) return false;
    if (compiled.from && (!packet || packet->from != *compiled.from)) return false;
    if (rule.min_size && payload.size() < *rule.min_size) return false;
    if (rule.max_size && payload.size() > *rule.max_size) return false;
    return topic_matches(rule.topic, topic);
  });
  return found == rules_.end() ? nullptr : &*found;
}

bool Classifier::heard_here(mt::NodeNum node, BootTime now) const {
  const BootTime* const last = heard_.find(node);
  return last && now - *last < kHeardHere;
}

Classifier::Choice Classifier::built_in(const PacketInfo& packet, BootTime now) const {
  if (is_emergency(packet)) return {queue::kEmergency};
  const bool local = packet.is_broadcast() || heard_here(packet.to, now);
  if (packet.pki) return {local ? bulk_ : message_};
  if (!packet.readable) return {bulk_};
  switch (packet.port) {
    case mt::kTextMessage:
    case mt::kTextCompressed:
    case mt::kWaypoint:
      return {message_};
    case mt::kStoreForward:
      return {mt::is_stored_text(packet.payload) ? message_ : bulk_};
    case mt::kCayenne:
      return {telemetry_};
    // Between two nodes here they mean nothing elsewhere; towards a node elsewhere they complete a
    // conversation.
    case mt::kRouting:
    case mt::kTraceroute:
      return {local ? bulk_ : normal_};
    case mt::kAudio:
    case mt::kIpTunnel:
    case mt::kStoreForwardPlusPlus:
    case mt::kSerial:
    case mt::kSimulator:
    case mt::kPowerStress:
    case mt::kLoraOta:
      return {bulk_};
    default:
      return {mt::tells_state(packet.port) ? telemetry_ : normal_};
  }
}

Classifier::Choice Classifier::choose(const CompiledRule* rule, const PacketInfo& packet, BootTime now) const {
  const bool named = rule && rule->rule.port;
  if (packet.readable && stays_here(packet.port) && !named) return {bulk_, true};
  return rule ? Choice{rule->cls, rule->rule.drop} : built_in(packet, now);
}

Verdict Classifier::judge_packet(std::string_view topic, ByteView payload, const PacketInfo& packet,
                                 BootTime now) {
  heard_.touch(packet.from) = now;
  const auto choice = choose(match(topic, payload, &packet), packet, now);
  Verdict verdict;
  verdict.cls = choice.cls;
  verdict.node = packet.node();
  verdict.packet = packet.packet_key();
  if (choice.drop) verdict.drop = queue::DropReason::kPolicy;
  if (packet.readable) verdict.port = packet.port;
  verdict.label = packet.label();
  if (choice.cls != queue::kEmergency && classes_[choice.cls].latest_only) verdict.kind = packet.kind();
  return verdict;
}

Verdict Classifier::judge_other(std::string_view topic, ByteView payload, std::string error) const {
  Verdict verdict;
  const auto form = mt::parse_topic(topic);
  // A gateway's name in the last level shows that a node published it; anyone may have topics with a "/2/e/".
  const bool is_mesh = form && (form->gateway || form->form == mt::TopicForm::kMap);
  const auto* rule = match(topic, payload, nullptr);
  if (form && form->gateway) {
    verdict.node = mt::node_id(*form->gateway);
  } else {
    verdict.node = node_of_level(topic, rule ? rule->rule.node : config::Rule{}.node);
  }
  if (is_mesh && form->form == mt::TopicForm::kJson) {
    verdict.label = "JSON";
  } else if (is_mesh) {
    verdict.label = "malformed";
    verdict.error = std::move(error);
  }
  verdict.cls = rule ? rule->cls : is_mesh ? bulk_ : normal_;
  if (rule && rule->rule.drop) verdict.drop = queue::DropReason::kPolicy;
  return verdict;
}

Verdict Classifier::classify(std::string_view topic, ByteView payload, BootTime now) {
  auto packet = mt::inspect(topic, payload, keys_);
  auto verdict =
      packet ? judge_packet(topic, payload, *packet, now) : judge_other(topic, payload, packet.error().message);
  if (verdict.drop == queue::DropReason::kNone && payload.size() > config::kMaxPayload) {
    verdict.drop = queue::DropReason::kTooLarge;
  }
  if (verdict.cls != queue::kEmergency) limit_.heard(verdict.node);
  const bool carried = verdict.drop == queue::DropReason::kNone;
  if (carried && verdict.cls == queue::kEmergency && !limit_.allow(verdict.node, verdict.packet, now)) {
    verdict.cls = message_;
    verdict.flagged = true;
  }
  return verdict;
}

}  // namespace tulpar::bridge
