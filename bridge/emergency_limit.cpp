// SPDX-License-Identifier: Apache-2.0
#include "bridge/emergency_limit.hpp"

#include <algorithm>

namespace tulpar::bridge {

bool EmergencyLimit::Bucket::has_room(BootTime now, int at_once, Millis interval) const {
  // BootTime may be negative, so its zero is no "never".
  return !used || next - now <= (at_once - 1) * interval;
}

void EmergencyLimit::Bucket::charge(BootTime now, Millis interval) {
  next = (used ? std::max(next, now) : now) + interval;
  used = true;
}

bool EmergencyLimit::charge(std::string_view name, Node& node, BootTime now) {
  const bool stranger = !heard_.find(name);
  if (!node.bucket.has_room(now, kAtOnce, kInterval)) return false;
  if (stranger && !strangers_.has_room(now, kStrangersAtOnce, kStrangersInterval)) return false;
  node.bucket.charge(now, kInterval);
  if (stranger) strangers_.charge(now, kStrangersInterval);
  return true;
}

bool EmergencyLimit::allow(std::string_view name, std::uint64_t packet, BootTime now) {
  Node& node = nodes_.touch(name);
  if (packet == 0) return charge(name, node, now);
  const auto copy = std::find_if(node.recent.begin(), node.recent.end(),
                                 [packet](const Answer& answer) { return answer.packet == packet; });
  if (copy != node.recent.end()) return copy->allowed;
  const bool allowed = charge(name, node, now);
  node.recent[node.oldest] = {packet, allowed};
  node.oldest = (node.oldest + 1) % kRemembered;
  return allowed;
}

}  // namespace tulpar::bridge
