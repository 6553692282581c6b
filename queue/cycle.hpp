// SPDX-License-Identifier: Apache-2.0
//
// The billing cycle that holds an instant: from one monthly reset to the next, in the plan's own time zone.
//
// Pure values; any thread. Reset days past a month's end fall on its last day. A local reset time that daylight
// saving skips is the first valid instant after it; one that comes twice is the first. So cycles follow each
// other without gap or overlap, whatever the zone does. The zone is the plan's: it does not move with a ship.
// Zone rules come from the system's tzdata, as far as its files list transitions (Debian: until 2037; after
// that the last offset stays, i.e. a reset may be an hour off).
#pragma once

#include "config/base.hpp"
#include "config/types.hpp"

namespace date {
class time_zone;
}

namespace tulpar::queue {

// [begin, end)
struct CycleBounds {
  WallTime begin, end;
  bool operator==(const CycleBounds&) const = default;
};

class BillingCycle {
 public:
  // Error: a day or time out of range, or a zone that this machine does not know.
  static Result<BillingCycle> make(const config::PlanCycle& plan);

  // Any instant; those outside 1971..9998 count as the nearest of these years (clocks do show such years).
  CycleBounds at(WallTime instant) const;

 private:
  BillingCycle(const config::PlanCycle& plan, const date::time_zone* zone);
  // The reset in the month that is `month` months after January of the year 0.
  WallTime reset(int month) const;

  int day_, minute_;
  const date::time_zone* zone_;  // of the process-wide tz database, never freed
};

// The day of an instant in a zone, e.g. "1 December"; in UTC where the zone is not known.
std::string day_in_words(WallTime instant, const std::string& zone);

}  // namespace tulpar::queue
