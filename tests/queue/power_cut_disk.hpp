// SPDX-License-Identifier: Apache-2.0
//
// A disk that a power cut can hit: what was synced stays; what was not is kept, lost, torn or reordered.
//
// A pure value, not thread-safe; cut_vfs.hpp puts SQLite on it. It does whatever sqlite.org/atomiccommit.html
// (sections 2 and 9) and psow.html leave open to a disk, and nothing that they exclude: a sync is a sync, a
// file is created or removed as a whole, and with powersafe overwrite no byte beside a write is harmed.
// A name is durable only when its folder was synced, as with POSIX. Sizes and offsets in bytes.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "config/base.hpp"

namespace tulpar::queue {

// What SQLite is told of the disk, and what the disk then does when the power goes in the middle of a sector.
struct Device {
  int sector = 4096;
  bool says_powersafe = true;  // powersafe overwrite: a torn write harms no byte beside it
  bool is_powersafe = true;    // else all of the sector around a torn write may be garbage
};

struct DiskOperation {
  enum class Kind : std::uint8_t { kCreate, kRemove, kWrite, kTruncate, kSync, kSyncFolder };
  Kind kind = Kind::kWrite;
  int file = -1;            // counted in the order of creation: a name may come and go
  std::string name;         // created or removed
  std::int64_t offset = 0;  // of a write; of a truncation: the new size
  Bytes data;               // of a write
};

class PowerCutDisk {
 public:
  explicit PowerCutDisk(Device device = {}) : device_(device) {}

  const Device& device() const { return device_; }
  void set_device(const Device& device) { device_ = device; }
  // What the running machine sees.
  std::optional<int> find(const std::string& name) const;
  const std::map<std::string, int>& names() const { return names_; }
  ByteView content(int file) const { return files_[file].now; }
  // The number of the file that is created next.
  int next_file() const { return static_cast<int>(files_.size()); }
  // Operations that a cut now could undo.
  std::size_t unsynced() const;
  std::size_t unsynced(int file) const { return files_[file].unsynced.size(); }

  void apply(const DiskOperation& operation);
  // What is found after the power went now; the seed decides where nothing was promised.
  PowerCutDisk after_cut(std::uint64_t seed) const;

 private:
  struct File {
    Bytes now, durable;
    std::vector<DiskOperation> unsynced;
  };

  Device device_;
  std::vector<File> files_;
  std::map<std::string, int> names_, durable_names_;
  std::vector<std::pair<std::string, int>> unsynced_names_;  // -1: removed
};

}  // namespace tulpar::queue
