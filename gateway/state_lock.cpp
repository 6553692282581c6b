// SPDX-License-Identifier: Apache-2.0
#include "gateway/state_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <stdexcept>

namespace tulpar {
namespace {

void make_private_directory(const std::string& dir) {
  namespace fs = std::filesystem;
  std::error_code failed;
  const bool made = fs::create_directories(dir, failed);
  if (failed)
    throw std::runtime_error(fmt::format("cannot make the state directory {}: {}", dir, failed.message()));
  // One that was there may let its group in, to the socket (the unit's StateDirectoryMode does); others never.
  const auto rest = made ? fs::perms::group_all : fs::perms::group_write;
  fs::permissions(dir, fs::perms::others_all | rest, fs::perm_options::remove, failed);
}

}  // namespace

StateLock::StateLock(const std::string& dir) {
  make_private_directory(dir);
  const std::string file = dir + "/lock";
  fd_ = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) throw std::runtime_error(fmt::format("cannot open {}: {}", file, std::strerror(errno)));
  if (flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
  close(fd_);
  throw std::runtime_error(
      fmt::format("{} is in use: another tulpar runs on it (a service? `systemctl status`). To try a "
                  "configuration out, give it a "
                  "state_dir of its own, or `tulpar check` it",
                  dir));
}

StateLock::~StateLock() { close(fd_); }

}  // namespace tulpar
