// SPDX-License-Identifier: Apache-2.0
#include "queue/damaged_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <charconv>
#include <filesystem>

namespace tulpar::queue {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCompanions[] = {"-wal", "-shm", "-journal"};

std::uint64_t size_of(const std::string& file) {
  struct stat there = {};
  return stat(file.c_str(), &there) == 0 ? static_cast<std::uint64_t>(there.st_size) : 0;
}

std::uint64_t bytes_of(const std::string& store) {
  std::uint64_t bytes = size_of(store);
  for (const auto* suffix : kCompanions) bytes += size_of(store + suffix);
  return bytes;
}

void set_time(const std::string& file, WallTime at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at.time_since_epoch());
  const timespec time{.tv_sec = seconds.count(), .tv_nsec = 0};
  const timespec times[] = {time, time};
  // A file whose time cannot be set gets no older; the other bounds hold.
  utimensat(AT_FDCWD, file.c_str(), times, 0);
}

// One that has no time yet, or one to come, begins to age now.
bool is_too_old(const std::string& file, WallTime now) {
  struct stat there = {};
  if (stat(file.c_str(), &there) != 0) return false;
  const WallTime since{std::chrono::seconds(there.st_mtim.tv_sec)};
  if (since != WallTime{} && since <= now) return now - since > kDamagedFor;
  set_time(file, now);
  return false;
}

}  // namespace

std::string RemovedFile::words() const {
  return fmt::format("{}, a damaged store's file of {} bytes, is deleted: {}", file, bytes, why);
}

std::string damaged_file(const std::string& path, int number) {
  return fmt::format("{}.damaged-{}", path, number);
}

std::set<int> damaged_files(const std::string& path) {
  std::set<int> numbers;
  const std::string begin = fs::path(path).filename().string() + ".damaged-";
  const fs::path folder = fs::path(path).parent_path();
  for (const auto& entry : fs::directory_iterator(folder.empty() ? "." : folder)) {
    const std::string name = entry.path().filename();
    if (!name.starts_with(begin)) continue;
    int number = 0;
    std::from_chars(name.data() + begin.size(), name.data() + name.size(), number);
    // As it is written here: somebody's own "-7.bak" or "-07" is no file of ours.
    if (number > 0 && name == begin + std::to_string(number)) numbers.insert(number);
  }
  return numbers;
}

std::string next_damaged_file(const std::string& path) {
  const auto numbers = damaged_files(path);
  return damaged_file(path, numbers.empty() ? 1 : *numbers.rbegin() + 1);
}

void begin_age(const std::string& damaged_file) { set_time(damaged_file, WallTime{}); }

void remove_store(const std::string& path) {
  fs::remove(path);
  for (const auto* suffix : kCompanions) fs::remove(path + suffix);
}

std::optional<RemovedFile> remove_oldest(const std::string& path, std::size_t keep, const std::string& why) {
  const auto numbers = damaged_files(path);
  if (numbers.size() <= keep) return std::nullopt;
  const std::string file = damaged_file(path, *numbers.begin());
  RemovedFile removed{file, bytes_of(file), why};
  remove_store(file);
  return removed;
}

std::vector<RemovedFile> prune_damaged(const std::string& path, std::uint64_t most_bytes,
                                       std::optional<WallTime> now) {
  std::vector<RemovedFile> removed;
  while (auto one = remove_oldest(path, kDamagedKept, fmt::format("the newest {} are kept", kDamagedKept)))
    removed.push_back(std::move(*one));
  std::uint64_t bytes = 0;
  const auto numbers = damaged_files(path);
  for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) {
    const std::string file = damaged_file(path, *number);
    const std::uint64_t size = bytes_of(file);
    std::string why;
    if (now && is_too_old(file, *now))
      why = fmt::format("it was moved aside more than {} days ago",
                        std::chrono::floor<std::chrono::days>(kDamagedFor).count());
    else if (number != numbers.rbegin() && bytes + size > most_bytes)
      why = fmt::format("with the newer ones it takes more than {} bytes, the store's own bound", most_bytes);
    if (why.empty()) {
      bytes += size;
      continue;
    }
    remove_store(file);
    removed.push_back({file, size, why});
  }
  return removed;
}

}  // namespace tulpar::queue
