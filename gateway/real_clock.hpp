// SPDX-License-Identifier: Apache-2.0
//
// The machine's clocks, and whether its wall clock can be believed. Any thread.
//
// Believed is a time that something disciplines, and one that goes on from such a time without a step. A
// machine that boots with the time of its last shutdown (no battery clock) is not believed while a time service
// here has yet to set it. Where nothing of that kind runs, or a battery clock agrees, a time is believed if it
// is plausible: not before this program was made, and not far from when the time was last believed. Who finds
// no belief in their right clock: set the time service right, or stop it and set the clock by hand.
#pragma once

#include <mutex>
#include <optional>

#include "config/base.hpp"
#include "queue/store.hpp"

namespace tulpar {

// What the machine says of its clock at one moment.
struct ClockSigns {
  BootTime boot;
  WallTime wall;
  bool disciplined = false;  // NTP or the like keeps it now
  bool awaits = false;       // no battery clock agrees with it, and a time service here has not set it yet
};

// Decides by the signs and by the time that was last believed; keeps that up to date. Not for two threads.
class ClockJudge {
 public:
  // A time that was believed earlier: in this boot, or only its wall time in one before.
  void go_on_from(WallTime wall, std::optional<BootTime> boot) { last_ = {wall, boot}; }
  bool believes(const ClockSigns& signs);

 private:
  struct Last {
    WallTime wall;
    std::optional<BootTime> boot;  // empty: of an earlier boot
  };
  bool plausible(const ClockSigns& signs) const;
  std::optional<Last> last_;
};

class RealClock : public Clock {
 public:
  RealClock();
  // What a store from an earlier life knows: before the first question.
  void go_on_from(const queue::BelievedTime& last);
  BootTime now() const override;
  WallTime wall() const override;
  bool trusted() const override;
  std::string boot_id() const override { return boot_id_; }

 private:
  std::string boot_id_;
  bool battery_ = false;
  mutable std::mutex mutex_;
  mutable ClockJudge judge_;
};

}  // namespace tulpar
