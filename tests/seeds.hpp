// SPDX-License-Identifier: Apache-2.0
//
// Which seeds a random test runs: TULPAR_SEED=n that one alone, else TULPAR_SEEDS=n so many, from
// TULPAR_FIRST_SEED=n on.
#pragma once

#include <cstdint>
#include <cstdlib>

namespace tulpar {

struct Seeds {
  std::uint32_t first = 1, count = 1;
};

// What is asked for, or else so many from `first` on.
inline Seeds asked_seeds(std::uint32_t first, std::uint32_t count) {
  const auto asked = [](const char* name, std::uint32_t otherwise) {
    const char* given = std::getenv(name);
    return given ? static_cast<std::uint32_t>(std::strtoul(given, nullptr, 10)) : otherwise;
  };
  if (std::getenv("TULPAR_SEED")) return {asked("TULPAR_SEED", first), 1};
  return {asked("TULPAR_FIRST_SEED", first), asked("TULPAR_SEEDS", count)};
}

}  // namespace tulpar
