// SPDX-License-Identifier: Apache-2.0
//
// What happens to a store whose file is damaged: it is moved aside, and a new one takes over all that can be
// read of it. Used by Store::open; nobody else has the file open meanwhile.
//
// The damaged file is only read. A crash at any moment leaves either it in its place, or the new one whole:
// the next start finishes. What becomes of the file that was moved aside: damaged_files.hpp. History is
// dropped, each peer gets a new incarnation, no number is given twice, the books balance.
#pragma once

#include <string>
#include <vector>

#include "config/base.hpp"
#include "queue/damaged_files.hpp"
#include "queue/salvage_mend.hpp"

namespace tulpar::queue {

struct Salvaged {
  std::string why;    // the damage, in words
  std::string aside;  // where the damaged file is now
  Mended mended;
  std::int64_t bad_pages = 0, pages = 0;
  std::vector<std::string> missing;  // tables of which part is lost
  std::vector<RemovedFile> removed;  // older damaged files that had to go

  // What the operator should know, in two or three sentences.
  std::string words() const;
};

// Why the file at `path` must not be opened; empty: nothing is known against it. To be asked before SQLite has
// touched it, which would begin a torn log anew. Throws StoreError if the disk cannot read it now.
std::string known_damage(const std::string& path);
// Damage was met while the store was open, that the checks on opening may not see: the next start salvages. On
// disk when this returns, so that a power cut does not bring the file back into use. Error: it may not be.
Result<void> note_damage(const std::string& path, const std::string& why);
// The disk can read half of it or more: a bad spot, not a disk that is gone or away.
bool is_worth_salvaging(const std::string& path);
// At a start that could not read the file: true if it has been so for kStartsToWait starts, and salvaging what
// can be read is the better way. A good start ends the count.
constexpr int kStartsToWait = 60;  // five minutes, as the units restart it
bool give_up_reading(const std::string& path);
void end_of_trouble(const std::string& path);
// Ends what a crash in the middle of salvage() left to do.
void finish_salvage(const std::string& path);
// Error: what the disk says; the damaged file is in its place, then.
Result<Salvaged> salvage(const std::string& path, const std::vector<std::string>& classes,
                         const std::string& why);

}  // namespace tulpar::queue
