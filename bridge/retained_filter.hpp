// SPDX-License-Identifier: Apache-2.0
//
// Tells retained messages that are new from those that are here already: only the former count.
//
// Pure. A broker sends what it retained once more with each new subscription (an MQTT 3.1.1 one at every
// connection). What was heard live on a topic counts as heard too: it may have been published with the flag.
// Memory is bounded: the topic that was longest silent is forgotten, and what is retained there counts once
// more.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bridge/recent_table.hpp"

namespace tulpar::bridge {

class RetainedFilter {
 public:
  // Topics of a large mesh (1,000 nodes, a handful each); 16 K entries are 2 MB.
  static constexpr std::size_t kMaxTopics = 16'384;
  explicit RetainedFilter(std::size_t max_topics = kMaxTopics) : heard_(max_topics) {}

  // `topic` and `message` are fingerprints (a topic itself may be 65,535 bytes).
  bool is_news(std::uint64_t topic, std::uint64_t message) const {
    const std::uint64_t* last = heard_.find(topic);
    return !last || *last != message;
  }
  // It is stored here: retained or not, the latest on its topic.
  void heard(std::uint64_t topic, std::uint64_t message) { heard_.touch(topic) = message; }

 private:
  RecentTable<std::uint64_t, std::uint64_t> heard_;
};

}  // namespace tulpar::bridge
