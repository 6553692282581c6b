// SPDX-License-Identifier: Apache-2.0
//
// A small file system of its own, in memory, that a test can fill up. Needs root: where it cannot be mounted,
// mounted() is false and the test says that it was skipped.
#pragma once

#include <sys/mount.h>

#include <algorithm>
#include <cstdio>

#include "tests/catch.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {

class SmallDisk {
 public:
  explicit SmallDisk(const std::string& size)
      : mounted_(mount("none", (dir_ / "").c_str(), "tmpfs", 0, ("size=" + size).c_str()) == 0) {}
  ~SmallDisk() {
    if (mounted_) umount2((dir_ / "").c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  std::string operator/(const std::string& name) const { return dir_ / name; }
  // Somebody's file takes all that is left but `keep` bytes.
  void fill(std::uint64_t keep = 0) const {
    const std::string file = dir_ / "others";
    const auto free = std::filesystem::space(dir_ / "").available;
    const std::uint64_t size = free - std::min(free, keep);
    FILE* const out = fopen(file.c_str(), "ab");
    const std::string block(4096, 'x');
    bool written = true;
    for (std::uint64_t done = 0; done + block.size() <= size; done += block.size())
      written = fwrite(block.data(), 1, block.size(), out) == block.size() && written;
    REQUIRE((fclose(out) == 0 && written));
  }
  void clear() const { std::filesystem::remove(dir_ / "others"); }

 private:
  TempDir dir_;
  bool mounted_;
};

}  // namespace tulpar::queue
