// SPDX-License-Identifier: Apache-2.0
//
// A store's files that were damaged and moved aside: PATH.damaged-1, -2, ..., each with its log beside it.
//
// Nothing here reads them: they are for whoever wants to look for what the salvage could not read. So they are
// bounded: the newest three, none older than 90 days, and together no more bytes than the caller grants, but
// for the newest, which is kept whatever its size; on a full disk they go first. Their age counts from the
// first look at them under a believable clock; it is the file's time of change, which is 1970 until then.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/base.hpp"

namespace tulpar::queue {

constexpr std::size_t kDamagedKept = 3;
constexpr Millis kDamagedFor = std::chrono::days(90);

// One that is deleted, and why.
struct RemovedFile {
  std::string file;
  std::uint64_t bytes = 0;
  std::string why;

  std::string words() const;
};

std::string damaged_file(const std::string& path, int number);
// Their numbers, the oldest first.
std::set<int> damaged_files(const std::string& path);
// A free name for the next one.
std::string next_damaged_file(const std::string& path);
// Moved aside just now: its age is not known yet.
void begin_age(const std::string& damaged_file);
// Deletes the oldest; nothing: there are no more than `keep`.
std::optional<RemovedFile> remove_oldest(const std::string& path, std::size_t keep, const std::string& why);
// Deletes what is beyond the bounds, oldest first. `now`: empty while the clock is not believable; then none is
// too old. Any thread, but one at a time.
std::vector<RemovedFile> prune_damaged(const std::string& path, std::uint64_t most_bytes,
                                       std::optional<WallTime> now);
// A store's file and all that SQLite keeps beside it.
void remove_store(const std::string& path);

}  // namespace tulpar::queue
