// SPDX-License-Identifier: Apache-2.0
//
// What a CutMachine is made of, and its open files. Private to cut_vfs*.cpp.
//
// A handle lives in memory of SQLite's, from xOpen to xClose. All that is here is under State::mutex.
#pragma once

#include <sqlite3.h>

#include <algorithm>
#include <mutex>

#include "tests/queue/cut_vfs.hpp"

namespace tulpar::queue {

// The write-ahead log's index, gone with the power or with the last process.
using SharedMemory = std::vector<std::unique_ptr<std::uint8_t[]>>;

// An open file: what SQLite calls sqlite3_file.
struct CutHandle : sqlite3_file {
  CutMachine::State* machine = nullptr;
  int file = -1;
  std::uint64_t life = 0;    // of the machine; a handle of an earlier one is dead
  bool sync_folder = false;  // with the first sync, as SQLite's unix VFS does for journals
  int lock = SQLITE_LOCK_NONE;
  unsigned shared = 0, exclusive = 0;  // bits: held locks of the shared memory
  std::shared_ptr<SharedMemory> memory;
};

struct CutMachine::State {
  std::string name;
  PowerCutDisk disk;
  std::vector<DiskOperation>* journal = nullptr;
  std::uint64_t operations = 0, life = 1;
  std::optional<std::uint64_t> stop_at;
  bool stopped = false;
  std::vector<CutHandle*> handles;
  std::shared_ptr<SharedMemory> memory = std::make_shared<SharedMemory>();
  mutable std::mutex mutex;

  bool alive(const CutHandle& handle) const { return !stopped && handle.life == life; }
  bool perform(DiskOperation operation) {
    if (stop_at && operations >= *stop_at) stopped = true;
    if (stopped) return false;
    ++operations;
    disk.apply(operation);
    if (journal) journal->push_back(std::move(operation));
    return true;
  }
  // True if another connection to that file fits the condition.
  template <class Fits>
  bool another(const CutHandle& handle, Fits fits) const {
    return std::any_of(handles.begin(), handles.end(), [&](const CutHandle* other) {
      return other != &handle && other->life == life && other->file == handle.file && fits(*other);
    });
  }
  void begin_life() {
    ++life;
    stopped = false;
    stop_at.reset();
    memory = std::make_shared<SharedMemory>();
  }
};

extern const sqlite3_io_methods kCutMethods;

}  // namespace tulpar::queue
