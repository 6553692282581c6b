// SPDX-License-Identifier: Apache-2.0
//
// The whole state of the link's objects as a number, for explore.hpp: equal states are explored once.
//
// It reads private members (explore_reach.cpp says how): what they hold is what decides how a session goes on,
// and no public function tells it. What has no influence there is left out: times, counters of bytes, round
// trips.
#pragma once

#include <vector>

#include "gateway/link/session.hpp"

namespace tulpar::link::explore {

// Mixes what it is given into 64 bits. Among ten million states two different ones share a key with a chance of
// 3 in a million.
class Key {
 public:
  void add(std::uint64_t value) {
    value *= 0x9E3779B97F4A7C15;
    state_ = (state_ ^ value ^ value >> 32) * 0xD6E8FEB86659FD93;
    state_ ^= state_ >> 29;
  }
  void add(ByteView bytes);
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0x243F6A8885A308D3;
};

void add(Key& key, const queue::NumberSet& set);
void add(Key& key, const queue::Scheduler& scheduler);
void add(Key& key, const Outgoing& outgoing);
void add(Key& key, const Incoming& incoming, BootTime now);
void add(Key& key, const Session& session);

// What waits in it.
std::vector<queue::Entry> queued(const queue::Scheduler& scheduler);
// What was picked from the scheduler and is in no finished batch.
std::vector<queue::Entry> under_way(const Outgoing& outgoing);

}  // namespace tulpar::link::explore
