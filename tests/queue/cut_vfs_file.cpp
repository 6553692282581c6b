// SPDX-License-Identifier: Apache-2.0
#include "tests/queue/cut_vfs_file.hpp"

#include <atomic>
#include <cstring>

namespace tulpar::queue {
namespace {

using Kind = DiskOperation::Kind;

CutHandle& of(sqlite3_file* file) { return *static_cast<CutHandle*>(file); }

// Runs under the machine's lock; a machine without power answers `refusal`.
template <class Run>
int on(sqlite3_file* file, int refusal, Run run) {
  CutHandle& handle = of(file);
  std::lock_guard lock(handle.machine->mutex);
  return handle.machine->alive(handle) ? run(handle, *handle.machine) : refusal;
}

int close(sqlite3_file* file) {
  CutHandle& handle = of(file);
  {
    std::lock_guard lock(handle.machine->mutex);
    std::erase(handle.machine->handles, &handle);
  }
  handle.~CutHandle();
  return SQLITE_OK;
}

int read(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
  return on(file, SQLITE_IOERR_READ, [&](CutHandle& handle, CutMachine::State& machine) {
    const ByteView content = machine.disk.content(handle.file);
    const auto from = std::min<std::size_t>(static_cast<std::size_t>(offset), content.size());
    const auto count = std::min<std::size_t>(static_cast<std::size_t>(amount), content.size() - from);
    std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(from), count, static_cast<std::uint8_t*>(to));
    std::memset(static_cast<std::uint8_t*>(to) + count, 0, static_cast<std::size_t>(amount) - count);
    return std::cmp_equal(count, amount) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  });
}

int write(sqlite3_file* file, const void* data, int amount, sqlite3_int64 offset) {
  return on(file, SQLITE_IOERR_WRITE, [&](CutHandle& handle, CutMachine::State& machine) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    return machine.perform({Kind::kWrite, handle.file, {}, offset, Bytes(bytes, bytes + amount)})
               ? SQLITE_OK
               : SQLITE_IOERR_WRITE;
  });
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  return on(file, SQLITE_IOERR_TRUNCATE, [&](CutHandle& handle, CutMachine::State& machine) {
    return machine.perform({Kind::kTruncate, handle.file, {}, size, {}}) ? SQLITE_OK : SQLITE_IOERR_TRUNCATE;
  });
}

int sync(sqlite3_file* file, int) {
  return on(file, SQLITE_IOERR_FSYNC, [&](CutHandle& handle, CutMachine::State& machine) {
    bool done = machine.perform({Kind::kSync, handle.file, {}, 0, {}});
    if (done && std::exchange(handle.sync_folder, false))
      done = machine.perform({Kind::kSyncFolder, -1, {}, 0, {}});
    return done ? SQLITE_OK : SQLITE_IOERR_FSYNC;
  });
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return on(file, SQLITE_IOERR_FSTAT, [&](CutHandle& handle, CutMachine::State& machine) {
    *size = std::ssize(machine.disk.content(handle.file));
    return SQLITE_OK;
  });
}

// sqlite.org/lockingv3.html, 3.
int lock(sqlite3_file* file, int level) {
  return on(file, SQLITE_IOERR_LOCK, [&](CutHandle& handle, CutMachine::State& machine) {
    const auto held = [&](int least) {
      return machine.another(handle, [&](const CutHandle& other) { return other.lock >= least; });
    };
    if (handle.lock >= level) return SQLITE_OK;
    if (held(level == SQLITE_LOCK_SHARED ? SQLITE_LOCK_PENDING : SQLITE_LOCK_RESERVED)) return SQLITE_BUSY;
    const bool waits = level == SQLITE_LOCK_EXCLUSIVE && held(SQLITE_LOCK_SHARED);
    handle.lock = waits ? SQLITE_LOCK_PENDING : level;
    return waits ? SQLITE_BUSY : SQLITE_OK;
  });
}

int unlock(sqlite3_file* file, int level) {
  return on(file, SQLITE_OK, [&](CutHandle& handle, CutMachine::State&) {
    handle.lock = std::min(handle.lock, level);
    return SQLITE_OK;
  });
}

int check_reserved_lock(sqlite3_file* file, int* reserved) {
  return on(file, SQLITE_IOERR_CHECKRESERVEDLOCK, [&](CutHandle& handle, CutMachine::State& machine) {
    *reserved = handle.lock >= SQLITE_LOCK_RESERVED || machine.another(handle, [](const CutHandle& other) {
      return other.lock >= SQLITE_LOCK_RESERVED;
    });
    return SQLITE_OK;
  });
}

int control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file* file) { return of(file).machine->disk.device().sector; }
int characteristics(sqlite3_file* file) {
  return of(file).machine->disk.device().says_powersafe ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
}

int map_memory(sqlite3_file* file, int region, int size, int extend, void volatile** to) {
  *to = nullptr;
  return on(file, SQLITE_IOERR_SHMMAP, [&](CutHandle& handle, CutMachine::State& machine) {
    if (!handle.memory) handle.memory = machine.memory;
    auto& regions = *handle.memory;
    while (extend && std::ssize(regions) <= region)
      regions.push_back(std::make_unique<std::uint8_t[]>(static_cast<std::size_t>(size)));
    if (std::ssize(regions) > region) *to = regions[static_cast<std::size_t>(region)].get();
    return SQLITE_OK;
  });
}

int lock_memory(sqlite3_file* file, int first, int count, int flags) {
  return on(file, SQLITE_IOERR_SHMLOCK, [&](CutHandle& handle, CutMachine::State& machine) {
    const unsigned mask = ((1u << count) - 1) << first;
    if (flags & SQLITE_SHM_UNLOCK) {
      handle.shared &= ~mask;
      handle.exclusive &= ~mask;
      return SQLITE_OK;
    }
    const bool alone = flags & SQLITE_SHM_EXCLUSIVE;
    if (machine.another(handle, [&](const CutHandle& other) {
          return (other.exclusive | (alone ? other.shared : 0)) & mask;
        }))
      return SQLITE_BUSY;
    (alone ? handle.exclusive : handle.shared) |= mask;
    return SQLITE_OK;
  });
}

void barrier(sqlite3_file* file) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  std::lock_guard lock(of(file).machine->mutex);
}

int unmap_memory(sqlite3_file* file, int) {
  CutHandle& handle = of(file);
  std::lock_guard lock(handle.machine->mutex);
  handle.memory.reset();
  handle.shared = handle.exclusive = 0;
  // The last one to leave takes it along.
  if (handle.life == handle.machine->life && handle.machine->memory.use_count() == 1)
    handle.machine->memory->clear();
  return SQLITE_OK;
}

}  // namespace

const sqlite3_io_methods kCutMethods = {
    .iVersion = 2,
    .xClose = close,
    .xRead = read,
    .xWrite = write,
    .xTruncate = truncate,
    .xSync = sync,
    .xFileSize = file_size,
    .xLock = lock,
    .xUnlock = unlock,
    .xCheckReservedLock = check_reserved_lock,
    .xFileControl = control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_memory,
    .xShmLock = lock_memory,
    .xShmBarrier = barrier,
    .xShmUnmap = unmap_memory,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

}  // namespace tulpar::queue
