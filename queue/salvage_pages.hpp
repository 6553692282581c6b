// SPDX-License-Identifier: Apache-2.0
//
// A store's file read page by page without SQLite, which refuses a damaged one: the file, and over it what its
// write-ahead log has committed. Formats: sqlite.org/fileformat2.html.
//
// Not thread-safe. Reads only; never changes the files. A page that the disk cannot read, or that lies beyond
// the end, is an empty one. A file that is not there has no pages.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/base.hpp"

namespace tulpar::queue {

class SalvagePages {
 public:
  // SQLite's default since 2016; Store::open asks for it. Not read from the file: a flipped bit there would
  // cost all of it.
  static constexpr std::uint32_t kPageSize = 4096;

  explicit SalvagePages(const std::string& path);
  ~SalvagePages();
  SalvagePages(const SalvagePages&) = delete;
  SalvagePages& operator=(const SalvagePages&) = delete;

  // Pages are numbered 1..pages().
  std::uint32_t pages() const { return pages_; }
  Bytes page(std::uint32_t number) const;
  // The log's last version of this page cannot be read: page() gives an older one.
  bool is_stale(std::uint32_t number) const { return stale_.contains(number); }
  // Why the log is known to be damaged; empty: it is not. SQLite takes the first frame that does not fit for
  // the log's end, as it must after a power cut. But a transaction is written only when the one before it is on
  // disk: where a whole one follows a torn one, the torn one was acknowledged, and so were those behind it.
  const std::string& log_damage() const { return log_damage_; }
  bool has_log() const { return !logged_.empty(); }
  // Reads that the disk has refused so far, not counting what lies beyond an end.
  std::int64_t refused() const { return refused_; }
  // What stands the same in every store's header is as it must be. SQLite has many answers to damage there.
  bool header_fits() const;
  // Of the schema, as the header has it; 0: none yet, or the header is damaged.
  int version() const;

 private:
  struct Frame;
  Bytes read_at(int file, std::int64_t at, std::int64_t size) const;
  std::vector<Frame> read_frames(bool& torn_header) const;
  void read_log(const std::vector<Frame>& frames);

  int file_ = -1, log_ = -1;
  std::uint32_t pages_ = 0;
  std::string log_damage_;
  std::map<std::uint32_t, std::int64_t> logged_;  // page: where in the log
  std::set<std::uint32_t> stale_;
  mutable std::int64_t refused_ = 0;
};

// The format's integers: big-endian.
inline std::uint32_t read_u32(ByteView at) {
  return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}

}  // namespace tulpar::queue
