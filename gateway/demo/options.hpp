// SPDX-License-Identifier: Apache-2.0
//
// What `tulpar demo` can be told on the command line; the defaults are those of the manual.
//
// Plain values: filled by the command line's parser, checked here, read by the assembled demo.
#pragma once

#include <cstdint>
#include <string>

#include "config/base.hpp"

namespace tulpar::demo {

struct DemoOptions {
  std::uint64_t rate = 9600;           // --rate: bit/s, both directions, 300..1e9
  Millis delay{300};                   // --delay: one way, 0..10 s
  double loss = 0.02;                  // --loss: part of the segments, 0..0.5
  int nodes = 40;                      // --nodes: of the simulated mesh, 1..2000
  std::string web = "127.0.0.1:8480";  // --web: where the gateway's page listens
  double plan_speed = 1;   // --plan-speed: how many times faster than real life time passes, 0.1..10000
  std::uint64_t seed = 1;  // of the mesh and of both links: the same seed, the same run
};

// An error names the option, what it was given and what is allowed.
Result<void> check(const DemoOptions& options);

}  // namespace tulpar::demo
