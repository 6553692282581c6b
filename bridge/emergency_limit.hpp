// SPDX-License-Identifier: Apache-2.0
//
// How many emergencies one node may send: three at once, then one in ten minutes (DESIGN.md, invariant 6); and
// how many all those nodes together that nothing else was ever heard of.
//
// The default mesh key is public, so anyone can cry SOS, under as many names as he likes; what is too much is
// carried as `message`, never dropped. Several gateways that hear one packet publish it several times: a copy
// gets its first answer again and costs nothing, or one SOS heard by four gateways would use up its node's
// allowance. Not thread-safe; no clock of its own. Memory is bounded: the most idle node is forgotten and
// begins anew.
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
  // Strangers share this. More people than these do not come into need at once in one mesh while none of their
  // nodes has told anything before (a node tells its name and place within the hour), and the SOS of a known
  // node is not held up by them: at 9600 bit/s twenty of the longest (300 bytes on the link) take five seconds.
  // From then on who invents names costs 300 bytes a minute, 13 MB a month, and not the whole plan in an hour.
  static constexpr int kStrangersAtOnce = 20;
  static constexpr Millis kStrangersInterval = std::chrono::minutes(1);
  // A mesh knows about 1,000 nodes (the firmware's own table ends far earlier); 4,096 entries are below 1 MB.
  static constexpr std::size_t kMaxNodes = 4096;

  explicit EmergencyLimit(std::size_t max_nodes = kMaxNodes) : nodes_(max_nodes), heard_(max_nodes) {}

  // Something that is no emergency came from `node`: it is a stranger no more, until it is forgotten.
  void heard(std::string_view node) { heard_.touch(node); }
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
  struct Bucket {
    BootTime next{};  // when the next one would be due if they came evenly
    bool used = false;

    bool has_room(BootTime now, int at_once, Millis interval) const;
    void charge(BootTime now, Millis interval);
  };
  struct Node {
    Bucket bucket;
    std::array<Answer, kRemembered> recent{};
    std::size_t oldest = 0;
  };

  bool charge(std::string_view name, Node& node, BootTime now);

  struct Heard {};
  RecentTable<std::string, Node> nodes_;
  RecentTable<std::string, Heard> heard_;
  Bucket strangers_;
};

}  // namespace tulpar::bridge
