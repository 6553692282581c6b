// SPDX-License-Identifier: Apache-2.0
//
// Short ways to write entries and classes in the scheduler's tests.
#pragma once

#include <string>
#include <vector>

#include "config/types.hpp"
#include "queue/message.hpp"

namespace tulpar::queue {

// Shows the ids when an assertion fails.
inline std::vector<MessageId> ids(const std::vector<Entry>& entries) {
  std::vector<MessageId> result;
  for (const Entry& entry : entries) result.push_back(entry.id);
  return result;
}

inline BootTime at(std::int64_t milliseconds) { return BootTime{Millis{milliseconds}}; }

// `count` classes that hold nothing back, never expire and weigh the same.
inline std::vector<config::MessageClass> plain_classes(std::size_t count) {
  std::vector<config::MessageClass> classes;
  for (std::size_t i = 0; i < count; ++i)
    classes.push_back({.name = "c" + std::to_string(i), .minimum_share = 0.05});
  return classes;
}

}  // namespace tulpar::queue
