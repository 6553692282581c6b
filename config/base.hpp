// SPDX-License-Identifier: Apache-2.0
//
// The words that every folder shares: bytes, errors as values, and time.
//
// Thread rule: plain values, safe anywhere.
// Time: durations and ages use BootTime (CLOCK_BOOTTIME: monotonic, goes on in suspend, starts anew at each
// boot); the wall clock (WallTime) is only a label and may be wrong by decades until `Clock::trusted()` is
// true.
#pragma once

#include <boost/system/result.hpp>
#include <boost/throw_exception.hpp>
#include <chrono>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tulpar {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// An expected failure, in words that an operator can act on.
struct Error {
  std::string message;
};

[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(error.message);
}

// A value or an Error; `value()` on an error throws std::runtime_error.
template <class T>
using Result = boost::system::result<T, Error>;

struct BootClock {
  using duration = std::chrono::milliseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;
};

using Millis = std::chrono::milliseconds;
using BootTime = BootClock::time_point;
using WallTime = std::chrono::sys_time<Millis>;

// The outside clock; `RealClock` below in the programs, a counter in tests. Any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual BootTime now() const = 0;
  virtual WallTime wall() const = 0;
  // True once the wall clock is believable (NTP, an operator, or the peer said so).
  virtual bool trusted() const = 0;
  // Names this boot of the machine: boot times with different ids do not compare.
  virtual std::string boot_id() const = 0;
};

}  // namespace tulpar
