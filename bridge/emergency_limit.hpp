// SPDX-License-Identifier: Apache-2.0
//
// How many emergencies one node may send: three at once, then one in ten minutes (DESIGN.md, invariant 6).
//
// The default mesh key is public, so anyone can cry SOS; who cries too often is carried as `message`, never
// dropped. Several gateways that hear one packet publish it several times: a copy gets its first answer again
// and costs nothing, or one SOS heard by four gateways would use up its node's allowance. Not thread-safe; no
// clock of its own. Memory is bounded: the most idle node is forgotten and begins anew.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bridge/recent_table.hpp"
#include "config/base.hpp"

namespace tulpar::bridge {

class EmergencyLimit {
 public:
  static constexpr int kAtOnce = 3;
  static constexpr Millis kInterval = std::chrono::minutes(10);
  // A mesh knows about 1,000 nodes (the firmware's own table ends far earlier); 4,096 entries are below 1 MB.
  static constexpr std::size_t kMaxNodes = 4096;

  explicit EmergencyLimit(std::size_t max_nodes = kMaxNodes) : nodes_(max_nodes) {}

  // True iff this emergency of `node` may go as one. `packet` tells copies apart (queue::NewMessage::packet);
  // 0: always a new one.
  bool allow(std::string_view node, std::uint64_t packet, BootTime now);

 private:
  struct Answer {
    std::uint64_t packet = 0;
    bool allowed = false;
  };
  // Copies of one packet arrive within seconds of each other, so a few of them are memory enough.
  static constexpr std::size_t kRemembered = 8;
  struct Node {
    BootTime next{};  // when its next emergency would be due if they came evenly, one in kInterval
    bool known = false;
    std::array<Answer, kRemembered> recent{};
    std::size_t oldest = 0;
  };

  static bool charge(Node& node, BootTime now);

  RecentTable<std::string, Node> nodes_;
};

}  // namespace tulpar::bridge
