// SPDX-License-Identifier: Apache-2.0
//
// One program for one state directory: two on the same store, numbers and broker would destroy each other.
//
// Held from the first thing that a program does until its end, however that comes: the kernel keeps it.
#pragma once

#include <string>

namespace tulpar {

class StateLock {
 public:
  // Makes the directory if it is missing (mode 0700). Throws std::runtime_error if it cannot, or if another
  // program holds it.
  explicit StateLock(const std::string& dir);
  ~StateLock();
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace tulpar
