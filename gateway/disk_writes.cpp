// SPDX-License-Identifier: Apache-2.0
#include "gateway/disk_writes.hpp"

#include <fstream>
#include <string>
#include <utility>

namespace tulpar {

std::optional<std::int64_t> DiskWrites::of_process() {
  std::ifstream counters("/proc/self/io");
  std::string name;
  for (std::int64_t value = 0; counters >> name >> value;)
    if (name == "write_bytes:") return value;
  return std::nullopt;
}

void DiskWrites::note(std::int64_t total, WallTime wall) {
  const auto day = std::chrono::floor<std::chrono::days>(wall);
  if (day_ && *day_ != day) before_today_ = total_;
  day_ = day;
  total_ = total;
}

}  // namespace tulpar
