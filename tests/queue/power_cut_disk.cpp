// SPDX-License-Identifier: Apache-2.0
#include "tests/queue/power_cut_disk.hpp"

#include <algorithm>

namespace tulpar::queue {
namespace {

using Kind = DiskOperation::Kind;

// A write is torn at these bounds, whatever sector the disk admits to.
constexpr std::int64_t kTear = 512;

void put(Bytes& file, std::int64_t offset, ByteView data) {
  const auto end = static_cast<std::size_t>(offset) + data.size();
  if (file.size() < end) file.resize(end);
  std::copy(data.begin(), data.end(), file.begin() + offset);
}

void change(Bytes& file, const DiskOperation& operation) {
  if (operation.kind == Kind::kTruncate)
    file.resize(static_cast<std::size_t>(operation.offset));
  else
    put(file, operation.offset, operation.data);
}

// How a file's unsynced operations fare, in hundredths; the rest is lost.
struct Mood {
  int kept = 0, torn = 0, garbled = 0;
  bool in_order = false;  // all up to one of them, which is torn
};
constexpr Mood kMoods[] = {{100, 0, 0}, {0, 0, 0},  {0, 0, 0, true}, {0, 0, 0, true},
                           {45, 25, 5}, {90, 7, 3}, {10, 20, 5}};

// What is left of one file.
class Remains {
 public:
  Remains(Bytes durable, const Device& device, std::mt19937_64& random)
      : file_(std::move(durable)), device_(device), random_(random), zeros_(below(2) == 0) {}

  Bytes of(const std::vector<DiskOperation>& operations) && {
    const Mood mood = kMoods[below(std::size(kMoods))];
    const std::size_t reached = below(operations.size() + 1);
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const auto dice = static_cast<int>(below(100));
      if (mood.in_order ? i < reached : dice < mood.kept)
        keep(operations[i]);
      else if (mood.in_order ? i == reached : dice < mood.kept + mood.torn)
        tear(operations[i]);
      else if (!mood.in_order && dice < mood.kept + mood.torn + mood.garbled)
        garble(operations[i]);
    }
    return std::move(file_);
  }

 private:
  std::size_t below(std::size_t bound) { return random_() % bound; }

  // Between the old end and what comes after it are zeros, or whatever was on the disk there.
  void grow(std::size_t size) {
    const std::size_t old = file_.size();
    if (size <= old) return;
    file_.resize(size);
    if (!zeros_) fill(old, size);
  }
  void fill(std::size_t from, std::size_t to) {
    for (; from < to; ++from) file_[from] = static_cast<std::uint8_t>(random_());
  }

  void keep(const DiskOperation& operation) {
    if (operation.kind == Kind::kWrite) grow(static_cast<std::size_t>(operation.offset));
    change(file_, operation);
  }

  // Some of its sectors, and of one perhaps only the first bytes.
  void tear(const DiskOperation& write) {
    if (write.kind != Kind::kWrite) return;
    const std::int64_t end = write.offset + std::ssize(write.data);
    // The file's size is written apart from its content.
    if (below(4) == 0) grow(static_cast<std::size_t>(end));
    const bool from_the_front = below(2) == 0;
    bool there = true;
    for (std::int64_t at = write.offset; at < end;) {
      const std::int64_t next = std::min(end, (at / kTear + 1) * kTear);
      there = from_the_front ? there && below(4) != 0 : below(2) == 0;
      const std::int64_t stop = !there && below(8) == 0 ? at + static_cast<std::int64_t>(below(kTear)) : at;
      keep_part(write, at, there ? next : std::min(stop, next));
      at = next;
    }
  }
  void keep_part(const DiskOperation& write, std::int64_t from, std::int64_t to) {
    if (from >= to) return;
    grow(static_cast<std::size_t>(from));
    put(file_, from, ByteView(write.data).subspan(from - write.offset, to - from));
  }

  // One sector was under the head when the power went.
  void garble(const DiskOperation& write) {
    if (write.kind != Kind::kWrite || write.data.empty()) return;
    tear(write);
    const std::int64_t end = write.offset + std::ssize(write.data);
    const std::int64_t hit = write.offset + static_cast<std::int64_t>(below(write.data.size()));
    std::int64_t first = hit / device_.sector * device_.sector, last = first + device_.sector;
    if (device_.is_powersafe) first = std::max(first, write.offset), last = std::min(last, end);
    grow(static_cast<std::size_t>(std::min(last, end)));
    fill(static_cast<std::size_t>(first), std::min(static_cast<std::size_t>(last), file_.size()));
  }

  Bytes file_;
  const Device& device_;
  std::mt19937_64& random_;
  const bool zeros_;
};

}  // namespace

std::optional<int> PowerCutDisk::find(const std::string& name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t PowerCutDisk::unsynced() const {
  std::size_t count = unsynced_names_.size();
  for (const auto& file : files_) count += file.unsynced.size();
  return count;
}

void PowerCutDisk::apply(const DiskOperation& operation) {
  switch (operation.kind) {
    case Kind::kCreate:
      names_[operation.name] = next_file();
      unsynced_names_.emplace_back(operation.name, next_file());
      files_.emplace_back();
      return;
    case Kind::kRemove:
      names_.erase(operation.name);
      unsynced_names_.emplace_back(operation.name, -1);
      return;
    case Kind::kSyncFolder:
      durable_names_ = names_;
      unsynced_names_.clear();
      return;
    case Kind::kSync: {
      auto& file = files_[operation.file];
      for (const auto& done : file.unsynced) change(file.durable, done);
      file.unsynced.clear();
      return;
    }
    case Kind::kWrite:
    case Kind::kTruncate:
      change(files_[operation.file].now, operation);
      files_[operation.file].unsynced.push_back(operation);
  }
}

PowerCutDisk PowerCutDisk::after_cut(std::uint64_t seed) const {
  std::mt19937_64 random(seed);
  // What happened to one name happened in order; what happened to another has nothing to do with it.
  std::map<std::string, std::vector<int>> changes;
  for (const auto& [name, file] : unsynced_names_) changes[name].push_back(file);
  auto names = durable_names_;
  for (const auto& [name, files] : changes) {
    const std::size_t reached = random() % (files.size() + 1);
    if (reached == 0) continue;
    if (files[reached - 1] < 0)
      names.erase(name);
    else
      names[name] = files[reached - 1];
  }
  PowerCutDisk left(device_);
  for (const auto& [name, file] : names) {
    left.names_[name] = left.durable_names_[name] = left.next_file();
    auto& found = left.files_.emplace_back();
    found.durable = Remains(files_[file].durable, device_, random).of(files_[file].unsynced);
    found.now = found.durable;
  }
  return left;
}

}  // namespace tulpar::queue
