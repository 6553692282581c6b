// SPDX-License-Identifier: Apache-2.0
#include "tests/queue/power_cut_proof.hpp"

#include <fmt/format.h>

#include <cstdlib>

namespace tulpar::queue {
namespace {

constexpr int kGroups = 120;

}  // namespace

std::int64_t setting(const char* name, std::int64_t otherwise) {
  const char* given = std::getenv(name);
  return given ? std::atoll(given) : otherwise;
}

Record record_life(Role role, std::uint64_t seed, const Mistake& mistake) {
  Record record;
  record.device = kDevices[seed % std::size(kDevices)];
  Recorder recorder(record, mistake);
  live(recorder, role, seed, kGroups);
  return record;
}

std::string cut(const Record& record, std::uint64_t seed, int points, Tally& tally, const Mistake& mistake) {
  Checker checker(record, mistake);
  std::string wrong;
  for (const auto& point : choose_points(record, seed, points)) {
    wrong = checker.check(point);
    if (wrong.empty()) continue;
    wrong = fmt::format("cut after {} of {} operations, what is left by seed {}: {}", point.cut,
                        record.journal.size(), point.seed, wrong);
    break;
  }
  tally += checker.tally();
  return wrong;
}

}  // namespace tulpar::queue
