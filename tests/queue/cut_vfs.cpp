// SPDX-License-Identifier: Apache-2.0
#include "tests/queue/cut_vfs.hpp"

#include <filesystem>
#include <new>

#include "tests/queue/cut_vfs_file.hpp"

namespace tulpar::queue {
namespace {

using Kind = DiskOperation::Kind;

struct Vfs : sqlite3_vfs {
  sqlite3_vfs* real = nullptr;
  std::mutex mutex;
  std::vector<CutMachine::State*> machines;

  CutMachine::State* owner(const char* path) {
    if (!path) return nullptr;
    const std::string name = std::filesystem::path(path).filename();
    std::lock_guard lock(mutex);
    const auto found = std::find_if(machines.begin(), machines.end(),
                                    [&](const auto* machine) { return name.starts_with(machine->name); });
    return found == machines.end() ? nullptr : *found;
  }
};
Vfs& vfs() {
  static Vfs only;
  return only;
}

int open(sqlite3_vfs*, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  auto* machine = vfs().owner(path);
  if (!machine) return vfs().real->xOpen(vfs().real, path, file, flags, out_flags);
  auto* handle = new (file) CutHandle;
  handle->pMethods = nullptr;  // not open, until it is
  std::lock_guard lock(machine->mutex);
  auto found = machine->disk.find(path);
  if (!found && flags & SQLITE_OPEN_CREATE) {
    found = machine->disk.next_file();
    if (!machine->perform({Kind::kCreate, *found, path, 0, {}})) found.reset();
  }
  if (!found || machine->stopped) return SQLITE_CANTOPEN;
  const int journals = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
  handle->pMethods = &kCutMethods;
  handle->machine = machine;
  handle->file = *found;
  handle->life = machine->life;
  handle->sync_folder = flags & SQLITE_OPEN_CREATE && flags & journals;
  machine->handles.push_back(handle);
  if (out_flags) *out_flags = flags;
  return SQLITE_OK;
}

int remove(sqlite3_vfs*, const char* path, int sync_folder) {
  auto* machine = vfs().owner(path);
  if (!machine) return vfs().real->xDelete(vfs().real, path, sync_folder);
  std::lock_guard lock(machine->mutex);
  const auto found = machine->disk.find(path);
  if (!found) return machine->stopped ? SQLITE_IOERR_DELETE : SQLITE_IOERR_DELETE_NOENT;
  bool done = machine->perform({Kind::kRemove, *found, path, 0, {}});
  if (done && sync_folder) done = machine->perform({Kind::kSyncFolder, -1, {}, 0, {}});
  return done ? SQLITE_OK : SQLITE_IOERR_DELETE;
}

// An empty file counts as none, as in SQLite's unix VFS.
int access(sqlite3_vfs*, const char* path, int flags, int* result) {
  auto* machine = vfs().owner(path);
  if (!machine) return vfs().real->xAccess(vfs().real, path, flags, result);
  std::lock_guard lock(machine->mutex);
  if (machine->stopped) return SQLITE_IOERR_ACCESS;
  const auto found = machine->disk.find(path);
  *result = found && (flags != SQLITE_ACCESS_EXISTS || !machine->disk.content(*found).empty());
  return SQLITE_OK;
}

// Registered once for the process; without a machine it hands everything on.
void register_vfs() {
  static std::once_flag once;
  std::call_once(once, [] {
    Vfs& made = vfs();
    made.real = sqlite3_vfs_find(nullptr);
    // What is not about a file of a machine (time, randomness, full names) is the real one's, which does not
    // look at the object that it is called with.
    static_cast<sqlite3_vfs&>(made) = *made.real;
    made.pNext = nullptr;
    made.zName = "cut";
    made.szOsFile = std::max(made.szOsFile, static_cast<int>(sizeof(CutHandle)));
    made.xOpen = open;
    made.xDelete = remove;
    made.xAccess = access;
    sqlite3_vfs_register(&made, 1);
  });
}

}  // namespace

CutMachine::CutMachine(std::string name, PowerCutDisk disk) : state_(std::make_unique<State>()) {
  register_vfs();
  state_->name = std::move(name);
  state_->disk = std::move(disk);
  std::lock_guard lock(vfs().mutex);
  vfs().machines.push_back(state_.get());
}

CutMachine::~CutMachine() {
  std::lock_guard lock(vfs().mutex);
  std::erase(vfs().machines, state_.get());
}

void CutMachine::record(std::vector<DiskOperation>& journal) { state_->journal = &journal; }

std::uint64_t CutMachine::operations() const {
  std::lock_guard lock(state_->mutex);
  return state_->operations;
}

void CutMachine::stop_after(std::optional<std::uint64_t> operations) {
  std::lock_guard lock(state_->mutex);
  state_->stop_at = operations;
  if (operations) *state_->stop_at += state_->operations;
}

bool CutMachine::stopped() const {
  std::lock_guard lock(state_->mutex);
  return state_->stopped;
}

void CutMachine::cut_power(std::uint64_t seed) {
  std::lock_guard lock(state_->mutex);
  state_->disk = state_->disk.after_cut(seed);
  state_->begin_life();
}

void CutMachine::kill_process() {
  std::lock_guard lock(state_->mutex);
  state_->begin_life();
}

PowerCutDisk CutMachine::disk() const {
  std::lock_guard lock(state_->mutex);
  return state_->disk;
}

}  // namespace tulpar::queue
