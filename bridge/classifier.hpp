// SPDX-License-Identifier: Apache-2.0
//
// What a message that arrived from the mesh's side is: its class, its node, what makes a copy, what a later one
// replaces.
//
// The configured rules first, the first match wins; then the built-in ones for Meshtastic (README.md has them
// as a table); then class `normal`. It only judges: storing, refusing and counting are the caller's. Give it
// what nodes published here, not our own publications: it notes who was heard. Not thread-safe; no clock of its
// own. Memory is bounded whatever arrives.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/emergency_limit.hpp"
#include "bridge/meshtastic/packet.hpp"
#include "bridge/recent_table.hpp"
#include "config/types.hpp"
#include "queue/message.hpp"

namespace tulpar::bridge {

struct Verdict {
  queue::ClassId cls = 0;    // given for what is dropped too: the books are kept per class
  std::string node;          // "!7efeee00", or a topic level cut to kMaxNodeName; empty: unknown
  std::uint32_t kind = 0;    // as queue::NewMessage::kind; never set in the emergency class
  std::uint64_t packet = 0;  // as queue::NewMessage::packet
  queue::DropReason drop = queue::DropReason::kNone;  // kPolicy or kTooLarge: count it, do not carry it
  bool flagged = false;                               // an emergency beyond its node's limit
  std::optional<std::uint32_t> port;                  // Meshtastic port number, where readable
  std::string_view label;  // for the page, never a body: "POSITION_APP", "device", "PKI", "malformed"; static
  std::string error;       // what is wrong with a malformed packet, for log and counter; else empty
};

class Classifier {
 public:
  // A node's name is a key in several tables; a topic level may be 65,535 bytes.
  static constexpr std::size_t kMaxNodeName = 64;
  // An addressee not heard for this long is taken to be elsewhere (DESIGN.md, Classes).
  static constexpr Millis kHeardHere = std::chrono::hours(24);
  static constexpr std::size_t kMaxHeard = 16'384;

  // `classes` in order of urgency, the emergency class first. Where a default class is missing, `normal` stands
  // in for it, or else the last one. An error names the rule by its number, 1 being the first.
  static Result<Classifier> create(const std::vector<config::MessageClass>& classes,
                                   const std::vector<config::Rule>& rules, meshtastic::KeyRing keys);

  // REQUIRES: valid_topic(topic).
  Verdict classify(std::string_view topic, ByteView payload, BootTime now);

 private:
  struct CompiledRule {
    config::Rule rule;
    queue::ClassId cls = 0;
    std::optional<meshtastic::NodeNum> from;
  };
  struct Choice {
    queue::ClassId cls = 0;
    bool drop = false;
  };
  using PacketInfo = meshtastic::PacketInfo;

  explicit Classifier(meshtastic::KeyRing keys) : keys_(std::move(keys)) {}

  Result<void> compile(const config::Rule& rule);
  std::optional<queue::ClassId> find_class(std::string_view name) const;
  queue::ClassId default_class(std::string_view name) const;
  const CompiledRule* match(std::string_view topic, ByteView payload, const PacketInfo* packet) const;
  Choice choose(const CompiledRule* rule, const PacketInfo& packet, BootTime now) const;
  Choice built_in(const PacketInfo& packet, BootTime now) const;
  bool heard_here(meshtastic::NodeNum node, BootTime now) const;
  Verdict judge_packet(std::string_view topic, ByteView payload, const PacketInfo& packet, BootTime now);
  Verdict judge_other(std::string_view topic, ByteView payload, std::string error) const;

  meshtastic::KeyRing keys_;
  std::vector<config::MessageClass> classes_;
  std::vector<CompiledRule> rules_;
  queue::ClassId message_ = 0, normal_ = 0, telemetry_ = 0, bulk_ = 0;
  RecentTable<meshtastic::NodeNum, BootTime> heard_{kMaxHeard};
  EmergencyLimit limit_;
};

}  // namespace tulpar::bridge
