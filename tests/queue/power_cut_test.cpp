// SPDX-License-Identifier: Apache-2.0
//
// The power is cut at random points of recorded lives of a gateway's and of a relay's store, and at every point
// of a store's creation.
//
// In ctest a sample. TULPAR_CUT_POINTS=N takes N points on each side, TULPAR_SEED=S begins with the life of
// seed S; what was done is printed as lines `figure NAME VALUE`.
#include <fmt/format.h>

#include <algorithm>

#include "tests/catch.hpp"
#include "tests/queue/power_cut_proof.hpp"

namespace tulpar::queue {
namespace {

constexpr int kPointsOfOneLife = 100, kSample = 3 * kPointsOfOneLife;

template <class Value>
void figure(const std::string& name, Value value) {
  fmt::print("figure {} {}\n", name, value);
}

void prove(Role role, const std::string& name) {
  const auto points = setting("TULPAR_CUT_POINTS", kSample);
  const auto first = static_cast<std::uint64_t>(setting("TULPAR_SEED", 1));
  std::uint64_t seed = first;
  Tally tally;
  std::size_t operations = 0, commits = 0;
  for (; tally.points < points; ++seed) {
    const Record record = record_life(role, seed);
    operations += record.journal.size();
    commits += record.commits.size();
    INFO("TULPAR_SEED=" << seed);
    const auto count = std::min<std::int64_t>(kPointsOfOneLife, points - tally.points);
    REQUIRE(cut(record, seed, static_cast<int>(count), tally) == "");
  }
  // Else the proof would prove little.
  CHECK(tally.unsynced > points / 2);
  CHECK(tally.in_commit > points / 4);
  CHECK(tally.in_checkpoint > 0);
  CHECK(tally.newer > 0);
  CHECK(tally.second_cuts > points / 10);
  CHECK(tally.one_by_one > 0);
  figure(name + "_points", tally.points);
  figure(name + "_seeds", fmt::format("{}..{}", first, seed - 1));
  figure(name + "_points_with_unsynced_writes", tally.unsynced);
  figure(name + "_points_within_a_commit", tally.in_commit);
  figure(name + "_points_within_a_group_with_a_failure", tally.one_by_one);
  figure(name + "_points_within_a_checkpoint", tally.in_checkpoint);
  figure(name + "_points_where_that_commit_survived", tally.newer);
  figure(name + "_second_cuts_while_opening", tally.second_cuts);
  figure(name + "_operations_recorded", operations);
  figure(name + "_commits_recorded", commits);
}

// A store that is opened for the first time, and what it says then.
struct Creation {
  std::vector<DiskOperation> journal;
  std::uint64_t content = 0;

  explicit Creation(const Device& device) {
    CutMachine machine(kCutName, PowerCutDisk(device));
    machine.record(journal);
    const FakeClock clock;
    const auto store = open_store(kCutPath, clock);
    content = digest(store->database());
  }
};

// Twice, so that what was mended by the first start is seen by a second one.
void check_created(const PowerCutDisk& left, std::uint64_t content) {
  const Found found(left);
  for (int start = 0; start < 2; ++start) {
    const FakeClock clock;
    const auto store = open_store(found.path(), clock);
    auto& db = store->database();
    REQUIRE(found.unexpected() == "");
    REQUIRE(digest(db) == content);
    REQUIRE(contradictions(db) == "");
    // Set before the first table, or never.
    REQUIRE(db.query_int("PRAGMA auto_vacuum") == 2);
  }
}

}  // namespace

TEST_CASE("A gateway's store outlives a power cut at any moment") { prove(Role::kGateway, "gateway"); }
TEST_CASE("A relay's store outlives a power cut at any moment") { prove(Role::kRelay, "relay"); }

TEST_CASE("A store is created after a power cut at any moment of its creation") {
  const auto points = setting("TULPAR_CUT_POINTS", kSample);
  std::int64_t done = 0;
  for (const auto& device : kDevices) {
    const Creation creation(device);
    const auto seeds = 1 + points / static_cast<std::int64_t>(std::size(kDevices) * creation.journal.size());
    PowerCutDisk disk(device);
    for (const auto& operation : creation.journal) {
      disk.apply(operation);
      INFO("sector " << device.sector << ", cut after " << &operation - creation.journal.data() + 1 << " of "
                     << creation.journal.size() << " operations");
      for (std::int64_t seed = 0; seed < seeds; ++seed, ++done)
        check_created(disk.after_cut(static_cast<std::uint64_t>(done)), creation.content);
    }
  }
  figure("creation_points", done);
}

}  // namespace tulpar::queue
