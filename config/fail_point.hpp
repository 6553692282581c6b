// SPDX-License-Identifier: Apache-2.0
//
// Named places at which a build for the crash soak dies or stalls on purpose. In every other build a point is a
// name that the compiler checks, and nothing more.
//
// Any thread. Where the build has the CMake option TULPAR_FAIL_POINTS, two variables of the environment count.
// TULPAR_FAIL=NAME:N=ACTION,... says what happens at the N-th passing (from 1) of NAME: `kill` (SIGKILL to
// itself), or a stall of so many milliseconds (1 to 60000); of two rules for one passing the first goes first.
// What cannot be read ends the start. To the file TULPAR_FAIL_LOG goes a line `pass NAME` at the first passing
// of each, and one with `kill` or `stall` before each action.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "config/base.hpp"

namespace tulpar::config {

// By a message's way. A bare verb stands before the step is durable, a participle after it.
inline constexpr auto kFailPoints = std::to_array<std::string_view>({
    "ingest.read",         // a group is read from a broker
    "ingest.committed",    // and on disk; its PUBACKs are not released yet
    "mqtt.written",        // something went out to a broker: a PUBLISH, or PUBACKs
    "store.migrate",       // before a migration's COMMIT
    "store.migrated",      // behind it
    "store.numbers",       // message numbers are reserved, not committed
    "store.batches",       // batch numbers likewise
    "store.commit",        // before a group's COMMIT
    "store.committed",     // behind it, nobody has been told
    "store.tidy",          // before empty pages are given back
    "store.checkpoint",    // before the log is emptied into the file
    "store.checkpointed",  // behind it
    "link.reserved",       // batch numbers are committed, none is used
    "link.begin",          // a batch is made, nothing of it has left
    "link.receive",        // a batch has arrived whole
    "link.received",       // and is on disk; not acknowledged yet
    "link.settle",         // the peer's acknowledgement is heard
    "link.settled",        // and on disk
    "link.void",           // the peer closes numbers without a batch
    "link.voided",         // and that is on disk
    "link.reset",          // the peer is another, or began anew
    "link.was_reset",      // and that is on disk
    "link.renew",          // our state is older than what we said: a new incarnation
    "link.renewed",        // and that is on disk
    "sink.acknowledged",   // the sink's PUBACK is heard
    "sink.noted",          // and on disk
});

// The name's place in the table; a name that is not there does not compile.
consteval std::size_t fail_point(std::string_view name) {
  for (std::size_t i = 0; i < kFailPoints.size(); ++i)
    if (kFailPoints[i] == name) return i;
  throw "not a name of kFailPoints";
}

struct FailRule {
  std::size_t point = 0;
  std::uint64_t passing = 1;
  std::optional<Millis> stall;  // nothing: the process is killed
};
// What TULPAR_FAIL says. Error: which rule cannot be read, and what is allowed.
Result<std::vector<FailRule>> parse_fail_rules(std::string_view text);

void pass_fail_point(std::size_t point);

}  // namespace tulpar::config

#ifdef TULPAR_FAIL_POINTS
#define TULPAR_FAIL_POINT(name) ::tulpar::config::pass_fail_point(::tulpar::config::fail_point(name))
#else
#define TULPAR_FAIL_POINT(name) \
  static_assert(::tulpar::config::fail_point(name) < ::tulpar::config::kFailPoints.size())
#endif
