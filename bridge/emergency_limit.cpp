// SPDX-License-Identifier: Apache-2.0
#include "bridge/emergency_limit.hpp"

#include <algorithm>

namespace tulpar::bridge {

bool EmergencyLimit::charge(Node& node, BootTime now) {
  // BootTime may be negative, so its zero is no "never".
  const BootTime due = node.known ? std::max(node.next, now) : now;
  if (due - now > (kAtOnce - 1) * kInterval) return false;
  node.next = due + kInterval;
  node.known = true;
  return true;
}

bool EmergencyLimit::allow(std::string_view name, std::uint64_t packet, BootTime now) {
  Node& node = nodes_.touch(name);
  if (packet == 0) return charge(node, now);
  const auto copy = std::find_if(node.recent.begin(), node.recent.end(),
                                 [packet](const Answer& answer) { return answer.packet == packet; });
  if (copy != node.recent.end()) return copy->allowed;
  const bool allowed = charge(node, now);
  node.recent[node.oldest] = {packet, allowed};
  node.oldest = (node.oldest + 1) % kRemembered;
  return allowed;
}

}  // namespace tulpar::bridge
