// SPDX-License-Identifier: Apache-2.0
#include "queue/ballast.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace tulpar::queue {
namespace {

// Where it cannot be told, there is room: then nothing is given back.
std::uint64_t free_bytes(const std::string& folder) {
  struct statvfs disk = {};
  return statvfs(folder.c_str(), &disk) == 0 ? std::uint64_t{disk.f_bavail} * disk.f_frsize : UINT64_MAX;
}

}  // namespace

bool Ballast::release() { return free_bytes(folder_) < kSize && unlink(file_.c_str()) == 0; }

bool Ballast::restore() {
  struct stat there = {};
  if (stat(file_.c_str(), &there) == 0 && static_cast<std::uint64_t>(there.st_size) >= kSize) return true;
  if (free_bytes(folder_) < kRoom) return false;
  const int file = open(file_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return false;
  // Not a hole: the blocks must be its own.
  const bool made = posix_fallocate(file, 0, kSize) == 0;
  close(file);
  if (!made) unlink(file_.c_str());
  return made;
}

}  // namespace tulpar::queue
