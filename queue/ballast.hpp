// SPDX-License-Identifier: Apache-2.0
//
// A file that holds a little of the disk, to be given back when the rest is full: then there is room for a
// start, and for noting what was delivered, until somebody clears the disk.
//
// A thin edge over two system calls, without state: any thread, one at a time. Failures are no errors: without
// the file a full disk is merely harder.
#pragma once

#include <cstdint>
#include <string>

namespace tulpar::queue {

class Ballast {
 public:
  // Bytes. A start writes some 100 KiB: a few pages, the log's index, the broker's files.
  static constexpr std::uint64_t kSize = 1u << 20;
  // It is made again only when so much is free that it cannot be the last of it.
  static constexpr std::uint64_t kRoom = 16u << 20;

  explicit Ballast(const std::string& folder) : folder_(folder), file_(folder + "/ballast") {}

  // Gives it back if less than its size is free. True: it has.
  bool release();
  // Makes it if it is not there and there is room. True: it is there.
  bool restore();

 private:
  std::string folder_, file_;
};

}  // namespace tulpar::queue
