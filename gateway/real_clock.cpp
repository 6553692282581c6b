// SPDX-License-Identifier: Apache-2.0
#include "gateway/real_clock.hpp"

#include <sys/timex.h>
#include <time.h>

#include <fstream>

namespace tulpar {
namespace {

// 2026-11-01, in seconds since 1970: no earlier than this program.
constexpr std::int64_t kNotBefore = 1'793'491'200;

Millis read_clock(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return std::chrono::duration_cast<Millis>(std::chrono::seconds(time.tv_sec) +
                                            std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace

RealClock::RealClock() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::getline(in, boot_id_);
  // Where /proc is restricted: the boot's wall time names it, but for a step of the clock.
  if (boot_id_.empty())
    boot_id_ = std::to_string((read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME)).count() / 10'000);
}

BootTime RealClock::now() const { return BootTime(read_clock(CLOCK_BOOTTIME)); }

WallTime RealClock::wall() const { return WallTime(read_clock(CLOCK_REALTIME)); }

bool RealClock::trusted() const {
  timex state{};
  if (adjtimex(&state) >= 0 && !(state.status & STA_UNSYNC)) return true;
  return wall().time_since_epoch() >= std::chrono::seconds(kNotBefore);
}

}  // namespace tulpar
