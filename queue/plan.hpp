// SPDX-License-Identifier: Apache-2.0
//
// A link's plan: which classes may send now, why the others wait, and the operator's figures. Pure; any thread.
//
// Sizes are wire bytes, both ways, as the provider counts. The volume is the plan's hard cap (which the loader
// sets where over = "hold"); without one nothing is held. The reserve is emergency's alone from the first byte,
// and emergency uses it first. Of the rest (days are 24 h from the cycle's begin)
// - to the end: goes until it is used up (so does `always`, where another class than emergency has it);
// - paced: what was left this morning / days left, and more while the even pace since the cycle's begin is not
//   ahead by half a day: a quiet day lends to all that follow, a busy one borrows from the next;
// - slowed first: stops at kSlowedPercent of today's allowance and borrows nothing: the paced go on;
// - left over: what all days before today left unused against the even pace; not part of today's allowance.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/types.hpp"
#include "queue/cycle.hpp"
#include "queue/message.hpp"

namespace tulpar::queue {

struct ClassUse {
  config::ByteSize cycle = 0, today = 0;
};

// What was used, as the ledger has it.
struct PlanUse {
  CycleBounds cycle;
  // With an untrusted clock, the last trusted time and its cycle: that day goes on, so that at most one day's
  // allowance leaves until the time is known. (To the end needs no clock: the books of the cycle bound it.)
  WallTime now{};
  bool clock_trusted = true;
  config::ByteSize used = 0;        // in the cycle, all of it: also what no class caused
  config::ByteSize used_today = 0;  // since day_begin(cycle, now); with an untrusted clock also all since
  std::vector<ClassUse> classes;    // by ClassId
};

// The begin of the billing day that holds `now` (clamped to the cycle).
WallTime day_begin(const CycleBounds& cycle, WallTime now);

enum class PlanState {
  kGreen,
  kYellow,  // today's allowance is used up
  kOrange,  // the soft cap is reached
  kRed,     // only emergency goes
};
const char* to_string(PlanState state);

struct ClassVerdict {
  bool open = true;
  std::string hold_reason;        // for the operator; empty while open
  std::optional<WallTime> until;  // when time alone may open it; nothing while open or without a trusted clock
};

struct PlanStatus {
  config::ByteSize used = 0, included = 0;
  double percent = 0;      // of included, or of the volume where nothing is included; may pass 100
  config::Money cost = 0;  // of what lies beyond `included`, rounded up to a billionth
  // For all but emergency, until the cycle's end; nothing: unlimited.
  std::optional<config::ByteSize> left;
  std::optional<config::ByteSize> daily_allowance;
  config::ByteSize used_of_allowance = 0;  // today, without emergency and left over
  config::ByteSize reserve_left = 0;       // emergency's
  WallTime resets_at{};
  PlanState state = PlanState::kGreen;
  std::vector<ClassVerdict> classes;  // by ClassId
};

class PlanMeter {
 public:
  // Part of today's allowance at which `slowed first` stops: a fifth is left to what is more urgent.
  static constexpr config::ByteSize kSlowedPercent = 80;
  // How far `paced` may be ahead of the even pace at a day's end, in parts of a day: enough for a busy evening;
  // and since it is the sum that counts, a busy month still has the same every day.
  static constexpr config::ByteSize kBorrowPercent = 50;

  PlanMeter(config::Plan plan, const std::vector<config::MessageClass>& classes);

  // REQUIRES: use.cycle is not empty.
  PlanStatus status(const PlanUse& use) const;

 private:
  struct Budget;
  Budget budget(const PlanUse& use) const;
  PlanState state(const PlanUse& use, const Budget& budget) const;
  ClassVerdict verdict(config::OverQuota behaviour, const PlanUse& use, const Budget& budget) const;

  config::Plan plan_;
  std::vector<config::OverQuota> behaviours_;  // by ClassId
};

}  // namespace tulpar::queue
