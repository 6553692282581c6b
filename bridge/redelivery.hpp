// SPDX-License-Identifier: Apache-2.0
//
// Which messages of a broker are redeliveries: stored here already, but the acknowledgement got lost with the
// connection.
//
// Pure. A copy has the packet identifier, topic and payload of one of the last receive-maximum messages before
// the reconnect, and comes among the first receive-maximum ones after it: a broker never has more
// unacknowledged. Nothing else is ever taken for a copy (a second identical SOS is news). libmosquitto hides
// the DUP flag; it is not needed. `Mark`s may be stored with the messages and given back after a restart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

namespace tulpar::bridge {

class Redelivery {
 public:
  // A message of QoS 1 as the broker numbered it.
  struct Mark {
    std::uint16_t mid = 0;          // packet identifier; 0: QoS 0, never a copy
    std::uint64_t fingerprint = 0;  // of topic and payload
    bool operator==(const Mark&) const = default;
  };

  // `most`: the receive maximum told to the broker. `stored`: what an earlier process stored last, oldest
  // first.
  explicit Redelivery(std::size_t most, const std::vector<Mark>& stored = {});

  // A connection is up. A session that the broker did not keep has nothing to redeliver: its identifiers begin
  // anew.
  void connected(bool resumed);
  // Asked once for each message, in their order.
  bool is_copy(const Mark& mark);
  // It is on disk and its acknowledgement may leave.
  void stored(const Mark& mark);

 private:
  std::size_t most_;
  std::deque<Mark> recent_;                                    // stored, oldest first
  std::unordered_map<std::uint16_t, std::uint64_t> expected_;  // may still be redelivered
  std::size_t left_ = 0;                                       // messages that may still be among them
};

}  // namespace tulpar::bridge
