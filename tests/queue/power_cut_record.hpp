// SPDX-License-Identifier: Apache-2.0
//
// A recorded life of a store: what its disk was asked to do, and what was promised to others meanwhile.
//
// The product's own StoreRunner decides what is reported as committed; its groups are made by the test, so that
// a seed gives the same life again. Moments are counted in operations of the machine: what was reported at
// moment m must survive any cut after m operations or more. Test's thread only.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "queue/store_runner.hpp"
#include "tests/queue/cut_vfs.hpp"
#include "tests/queue/store_fixture.hpp"

namespace tulpar::queue {

using Moment = std::uint64_t;

inline const std::string kCutName = "store.db";
inline const std::string kCutPath = "/power-cut/" + kCutName;

struct Record {
  struct Span {
    Moment from = 0;
    Moment until = std::numeric_limits<Moment>::max();
    bool holds(Moment cut) const { return from <= cut && cut < until; }
  };
  struct Commit {
    Moment begun = 0, reported = 0;
    std::uint64_t digest = 0;  // of all that the file says
    bool at_once = true;       // else an operation failed and its neighbours were committed one by one,
    std::vector<std::uint64_t> between;  // and this is what the file said before each of them
  };
  struct Message {
    Span span;
    MessageId id = 0;
    std::string topic;
  };
  // A batch or message number that the receiver has answered for.
  struct Known {
    Span span;
    PeerId peer = 0;
    bool batch = false;
    std::uint64_t number = 0;
  };
  // Numbers towards a peer below `end` may have been used, whether or not their transaction lasts.
  struct Given {
    Moment at = 0;
    PeerId peer = 0;
    bool batch = false;
    std::uint64_t end = 0;
  };

  Device device;
  std::vector<std::string> peers;
  std::vector<DiskOperation> journal;
  std::vector<Commit> commits;
  std::vector<Message> messages;
  std::vector<Known> known;
  std::vector<Given> given;
};

// A number for all rows of all tables, but for the running boot's time, which every start notes.
std::uint64_t digest(Database& db);

// What a wrong store would do; for the tests of the proof itself.
struct Mistake {
  std::function<void(Store&)> always = [](Store&) {};     // from each start on
  std::function<void(Store&)> after_cut = [](Store&) {};  // when it starts on what is left
  bool acknowledges_early = false;                        // before COMMIT
};

class Recorder {
 public:
  struct Job {
    std::function<void(Store&)> run;
    std::function<void()> done = [] {};  // reported as committed
    bool fails = false;
  };

  Recorder(Record& record, Mistake mistake);
  ~Recorder();

  void start();
  enum class End { kCleanly, kKilled };
  void end(End how);
  // One group, as it comes to be when all this waited during the last commit. Returns when the writer has
  // nothing left to do.
  void commit(const std::vector<Job>& jobs);
  // A reader that keeps its view, so that no checkpoint is complete; until it is released or the process ends.
  void hold_view();
  void release_view();

  Moment now() const { return machine_.operations(); }
  // Of the group that is reported: when it was begun, when it was reported.
  const Record::Commit& group() const { return group_; }
  // In `run` and `done` only.
  Store& store() { return *store_; }
  Record& record() { return record_; }

  FakeClock clock;

 private:
  StoreRunner::WriteJob watched(const Job& job, bool first, bool last);
  void wait_for_writer();

  Record& record_;
  Mistake mistake_;
  CutMachine machine_;
  std::unique_ptr<ThreadedStoreRunner> runner_;
  Store* store_ = nullptr;
  Record::Commit group_;
  std::string problem_;  // what did not go as the test meant it to
  std::unique_ptr<Database> view_;
  std::unique_ptr<Statement> held_;
};

}  // namespace tulpar::queue
