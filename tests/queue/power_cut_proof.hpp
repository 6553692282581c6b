// SPDX-License-Identifier: Apache-2.0
//
// Recorded lives and cuts in them, for power_cut_test.cpp and for power_cut_mistakes_test.cpp, which tries the
// proof itself.
#pragma once

#include <string>

#include "tests/queue/power_cut_check.hpp"
#include "tests/queue/power_cut_life.hpp"

namespace tulpar::queue {

// What SQLite's own VFS tells it, as in the product; and two disks of which nothing better may be assumed.
inline constexpr Device kDevices[] = {
    {4096, true, true}, {512, false, false}, {4096, true, true}, {4096, false, false}};

// From the environment.
std::int64_t setting(const char* name, std::int64_t otherwise);

// The seed decides the device, too.
Record record_life(Role role, std::uint64_t seed, const Mistake& mistake = {});

// The first thing that does not hold at so many points; empty: all does.
std::string cut(const Record& record, std::uint64_t seed, int points, Tally& tally,
                const Mistake& mistake = {});

}  // namespace tulpar::queue
