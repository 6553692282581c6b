// SPDX-License-Identifier: Apache-2.0
#include "gateway/real_clock.hpp"

#include <sys/timex.h>
#include <time.h>

#include <filesystem>
#include <fstream>

namespace tulpar {
namespace {

namespace fs = std::filesystem;

// 2026-11-01: no earlier than this program.
constexpr WallTime kNotBefore{std::chrono::sys_days{std::chrono::year{2026} / 11 / 1}};
// The wall's distance from the time since boot changes by steps only: a leap second, a correction. More than
// this is another time.
constexpr Millis kSameTime = std::chrono::minutes(1);
// Clocks that keep local time, or are saved hourly, come up earlier than they should.
constexpr Millis kEarly = std::chrono::days(1);
// How long a machine is off at most before a clock that nobody vouches for is doubted: two billing cycles. It
// is also what such a clock can do to a queue or a ledger if it lies.
constexpr Millis kOff = std::chrono::days(62);

Millis read_clock(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return std::chrono::duration_cast<Millis>(std::chrono::seconds(time.tv_sec) +
                                            std::chrono::nanoseconds(time.tv_nsec));
}

bool there(const char* path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// By timesyncd, in this boot.
bool was_set() { return there("/run/systemd/timesync/synchronized"); }

// The kernel's word; where it may not be asked, timesyncd's.
bool is_disciplined() {
  timex state{};
  const int said = adjtimex(&state);
  return said < 0 ? was_set() : said != TIME_ERROR && !(state.status & STA_UNSYNC);
}

// timesyncd, chrony, NTPsec.
bool has_time_service() {
  return there("/run/systemd/timesync") || there("/run/chrony") || there("/run/ntpd.pid");
}

// Not whether there is a battery clock: some boards have one and no battery, and it says 1970.
bool battery_agrees(Millis wall) {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator("/sys/class/rtc", failed)) {
    std::int64_t seconds = 0;
    if (std::ifstream(entry.path() / "since_epoch") >> seconds &&
        std::chrono::abs(wall - std::chrono::seconds(seconds)) < kEarly)
      return true;
  }
  return false;
}

}  // namespace

bool ClockJudge::plausible(const ClockSigns& signs) const {
  if (signs.awaits || signs.wall < kNotBefore) return false;
  if (!last_) return true;
  const Millis on = last_->boot ? signs.boot - *last_->boot : Millis{0};
  const Millis ahead = signs.wall - (last_->wall + on);
  return ahead >= -kEarly && ahead <= kOff;
}

bool ClockJudge::believes(const ClockSigns& signs) {
  const bool goes_on = last_ && last_->boot &&
                       std::chrono::abs((signs.wall - last_->wall) - (signs.boot - *last_->boot)) <= kSameTime;
  if (!signs.disciplined && !goes_on && !plausible(signs)) return false;
  // What only goes on is measured against its first time, or many small steps would be none.
  if (signs.disciplined || !goes_on) last_ = {signs.wall, signs.boot};
  return true;
}

RealClock::RealClock() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::getline(in, boot_id_);
  // Where /proc is restricted: the boot's wall time names it, but for a step of the clock.
  if (boot_id_.empty())
    boot_id_ = std::to_string((read_clock(CLOCK_REALTIME) - read_clock(CLOCK_BOOTTIME)).count() / 10'000);
  battery_ = battery_agrees(read_clock(CLOCK_REALTIME));
}

void RealClock::go_on_from(const queue::BelievedTime& last) {
  const std::lock_guard lock(mutex_);
  judge_.go_on_from(last.wall, last.boot_id == boot_id_ ? std::optional(last.boot) : std::nullopt);
}

BootTime RealClock::now() const { return BootTime(read_clock(CLOCK_BOOTTIME)); }

WallTime RealClock::wall() const { return WallTime(read_clock(CLOCK_REALTIME)); }

bool RealClock::trusted() const {
  const std::lock_guard lock(mutex_);
  return judge_.believes({.boot = now(),
                          .wall = wall(),
                          .disciplined = is_disciplined(),
                          .awaits = !battery_ && has_time_service() && !was_set()});
}

}  // namespace tulpar
