// SPDX-License-Identifier: Apache-2.0
//
// Where the cycle is heading, if it goes on as so far: a straight line through what was used. Pure; any thread.
//
// Sizes are wire bytes. Says nothing while the history is too short: a straight line through the first hours
// shows a month's use that is wrong by orders of magnitude, and nobody believes the page again.
#pragma once

#include <optional>

#include "config/types.hpp"
#include "queue/cycle.hpp"

namespace tulpar::queue {

struct Forecast {
  config::ByteSize at_end = 0;       // used at the cycle's end
  std::optional<WallTime> runs_out;  // when the volume is used up; nothing: not in this cycle
};

// `counted_since`: when the first byte of this cycle could be counted (a gateway may be new). `volume`: what
// may be used in the cycle, nothing: unlimited. Nothing iff less than three days, or less than a tenth of the
// cycle, were counted. Not to be asked while the clock is not trusted.
std::optional<Forecast> forecast(const CycleBounds& cycle, WallTime counted_since, WallTime now,
                                 config::ByteSize used, std::optional<config::ByteSize> volume);

}  // namespace tulpar::queue
