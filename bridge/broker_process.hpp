// SPDX-License-Identifier: Apache-2.0
//
// The operating system's side of the broker that Tulpar runs: its directory, its process, and finding it again.
//
// Blocking calls, each short. The process is a child that may outlive us: a gateway that was killed finds its
// broker still serving the mesh. Its working directory is its mark; no file with its number can be stale, and
// one process identifier used twice misleads nobody.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "bridge/broker_files.hpp"

namespace tulpar::bridge {

// A descriptor that is readable once the process has ended; closed on destruction.
class ProcessHandle {
 public:
  static Result<ProcessHandle> open(pid_t pid);
  ProcessHandle(ProcessHandle&& other) noexcept;
  ProcessHandle& operator=(ProcessHandle&&) = delete;
  ~ProcessHandle();
  int release();
  int get() const { return fd_; }

 private:
  explicit ProcessHandle(int fd) : fd_(fd) {}
  int fd_ = -1;
};

// Makes DIR with mode 0700 where there is none, and its secret. Error: what is wrong with it.
Result<BrokerPlace> open_broker_place(const std::string& dir);

// The files as they are in DIR; what is missing is empty.
BrokerFiles read_broker_files(const std::string& dir);
Result<void> write_broker_files(const std::string& dir, const BrokerFiles& files);

// The broker that runs in DIR: a process called as `program`, with DIR as its working directory.
std::optional<pid_t> find_broker(const std::string& dir, const std::string& program);
// Starts it on DIR/mosquitto.conf, logging to DIR/mosquitto.log (begun anew).
Result<pid_t> start_broker(const std::string& dir, const std::string& program);
// Its last words of an error in that log; empty: none.
std::string broker_complaint(const std::string& dir);
// Moves what it kept, DIR/mosquitto.db, to DIR/mosquitto.db.damaged-N, with N grown; an older one goes. The new
// name, or an error; an empty name: there is no such file.
Result<std::string> set_damaged_aside(const std::string& dir);

}  // namespace tulpar::bridge
