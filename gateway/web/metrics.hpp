// SPDX-License-Identifier: Apache-2.0
//
// The status in Prometheus' text format 0.0.4, all names tulpar_*.
//
// Pure; any thread. What a restart resets is not among the counters: they are the ledger's lifetime totals, but
// for the web server's own, which begin at its start.
#pragma once

#include <cstdint>
#include <string>

#include "gateway/web/status.hpp"

namespace tulpar::web {

// What the web server counts of itself.
struct WebCounters {
  std::uint64_t requests = 0;         // answered
  std::uint64_t refused_input = 0;    // answered with 400, 405, 411, 413, 414, 415 or 431
  std::uint64_t refused_sign_in = 0;  // wrong password or code, and tries beyond the limit
  std::uint64_t refused_access = 0;   // answered with 401 or 403
  std::uint64_t connections = 0;      // accepted
  std::uint64_t turned_away = 0;      // beyond the limits, or too slow
  std::uint64_t live_feeds = 0;       // open now
};

std::string metrics_text(const Status& status, const WebCounters& web);

}  // namespace tulpar::web
