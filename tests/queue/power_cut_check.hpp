// SPDX-License-Identifier: Apache-2.0
//
// Cuts the power at a point of a recorded life, starts the store on what is left, and says what does not hold.
//
// What must hold: the file opens and is whole; it is exactly what it was after the last commit that was
// reported, or after the one that was under way; its tables agree with each other; every promise is kept; no
// number is given twice.
#pragma once

#include <string>
#include <vector>

#include "tests/queue/power_cut_record.hpp"

namespace tulpar::queue {

struct Point {
  Moment cut = 0;
  std::uint64_t seed = 0;  // decides what is left of what was not synced
};

// Points of the record, ascending; each commit is as likely as any other, however large.
std::vector<Point> choose_points(const Record& record, std::uint64_t seed, int count);

// What a cut left, to be opened at path(). What a disk left that speaks as SQLite's own VFS does is put on a
// real file system, where all that the product does to files before SQLite meets it, too. The others' logs have
// frames that the product's never have (they fill sectors), and stay under the test's VFS.
class Found {
 public:
  explicit Found(const PowerCutDisk& disk);
  const std::string& path() const { return path_; }
  // What a power cut leaves is sound: nothing of it is moved aside. The name of what should not be there.
  std::string unexpected() const;

 private:
  std::unique_ptr<TempDir> folder_;
  std::unique_ptr<CutMachine> machine_;
  std::string path_ = kCutPath;
};

// How hard the points were.
struct Tally {
  std::int64_t points = 0, unsynced = 0, in_commit = 0, in_checkpoint = 0, second_cuts = 0, newer = 0;
  std::int64_t one_by_one = 0;  // within a group that was committed so, because an operation failed
  Tally& operator+=(const Tally& other);
};

class Checker {
 public:
  explicit Checker(const Record& record, Mistake mistake = {})
      : record_(record), mistake_(std::move(mistake)), disk_(record.device) {}

  // What does not hold; empty: all does. REQUIRES: no point before the last one.
  std::string check(const Point& point);
  const Tally& tally() const { return tally_; }

 private:
  std::string check_file(Database& db, Moment cut);
  std::string check_content(Database& db, Moment cut);
  std::string check_messages(Database& db, Moment cut);
  std::string check_start(Store& store, Moment cut);
  std::string check_peer(Store& store, const std::string& name, Moment cut);
  std::uint64_t given(PeerId peer, bool batch, Moment cut) const;

  const Record& record_;
  Mistake mistake_;
  PowerCutDisk disk_;
  Moment at_ = 0;
  Tally tally_;
};

// What the tables of a whole store never contradict; empty: nothing does.
std::string contradictions(Database& db);

}  // namespace tulpar::queue
