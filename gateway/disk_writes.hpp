// SPDX-License-Identifier: Apache-2.0
//
// How much this process has had written to storage, since its start and today: what wears out a memory card.
//
// On the loop thread. Bytes as the kernel counts them for the process (write_bytes in /proc/self/io): whole
// pages, each time one is written back. What the file system adds for itself, and the broker's own files, come
// on top.
#pragma once

#include <cstdint>
#include <optional>

#include "config/base.hpp"

namespace tulpar {

class DiskWrites {
 public:
  // Since the process began; nothing where the kernel does not count, or does not say.
  static std::optional<std::int64_t> of_process();

  // `total` so far, at `wall`. To be told at least once in a while: what came between the last time before
  // midnight and the first after it is tomorrow's.
  void note(std::int64_t total, WallTime wall);
  // Nothing before the first note().
  std::optional<std::int64_t> total() const { return day_ ? std::optional(total_) : std::nullopt; }
  // Since midnight (UTC), or since the start.
  std::optional<std::int64_t> today() const {
    return day_ ? std::optional(total_ - before_today_) : std::nullopt;
  }

 private:
  std::optional<std::chrono::sys_days> day_;
  std::int64_t total_ = 0, before_today_ = 0;
};

}  // namespace tulpar
