// SPDX-License-Identifier: Apache-2.0
//
// A child that serves us and never outlives us: stopped by the destructor, killed by the kernel if we die
// first.
//
// Thread rule: start it on a thread that lives as long as the child (the kernel's rule for the parent-death
// signal is per thread), use and destroy it on any one. It gets no descriptor of ours, /dev/null as input and
// output, and a process group of its own, so that a Ctrl-C in the terminal reaches only us. A child that
// changes its user loses the parent-death signal: run daemons that drop privileges as the user they are.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "config/base.hpp"

namespace tulpar::demo {

class ChildProcess {
 public:
  // Runs argv[0] (a path) and blocks until it has written `ready` to standard error, at most `patience`; with
  // "\n" before it, at the beginning of a line, the first one too. Its later output is thrown away. An error
  // holds what it had written.
  static Result<ChildProcess> start(const std::vector<std::string>& argv, std::string_view ready,
                                    Millis patience);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess() { stop(); }

  pid_t pid() const { return pid_; }
  bool running() const;
  // Asks it to end, and does not wait for that: so that several can end at the same time.
  void terminate();
  // SIGTERM, after two seconds SIGKILL; returns when it is gone.
  void stop();

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_ = 0;  // 0: none
};

}  // namespace tulpar::demo
