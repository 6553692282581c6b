// SPDX-License-Identifier: Apache-2.0
//
// A machine whose power can be cut, as SQLite sees it: files in memory on a PowerCutDisk, locks, the shared
// memory of the write-ahead log. Several connections in this process, on any threads.
//
// While a CutMachine lives, SQLite's default VFS gives it every file whose name (folders aside) begins with the
// machine's; all others go to the disk as before. So the code under test opens its usual path. Two machines
// need different names. Every connection to a machine is closed before it ends.
// A stopped machine refuses whatever is asked of it; who was connected then never gets through again.
#pragma once

#include <memory>

#include "tests/queue/power_cut_disk.hpp"

namespace tulpar::queue {

class CutMachine {
 public:
  explicit CutMachine(std::string name, PowerCutDisk disk = PowerCutDisk());
  ~CutMachine();
  CutMachine(const CutMachine&) = delete;
  CutMachine& operator=(const CutMachine&) = delete;

  // Appends what is done from now on to `journal`, which outlives the machine.
  void record(std::vector<DiskOperation>& journal);
  // What changed the disk, or was to make a change durable; reading does not count.
  std::uint64_t operations() const;
  // After this many more operations it stops, in the middle of what it does then; nothing: it runs on.
  void stop_after(std::optional<std::uint64_t> operations);
  bool stopped() const;

  // The power went and is back: what was not synced may be gone.
  void cut_power(std::uint64_t seed);
  // The process was killed and may start again: the system has all that was written, and still syncs nothing.
  void kill_process();
  // What a cut now would hit.
  PowerCutDisk disk() const;

  struct State;

 private:
  std::unique_ptr<State> state_;
};

}  // namespace tulpar::queue
