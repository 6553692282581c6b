// SPDX-License-Identifier: Apache-2.0
//
// Who is signed in, the one-time codes, and how often one may try.
//
// Pure, takes now; on the loop thread. Sessions are in memory only: a restart signs everybody out. Secrets are
// compared in constant time. Bounded: beyond kMaxSessions the one that was idle longest ends, beyond kMaxCodes
// the oldest.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/web/try_limit.hpp"

namespace tulpar::web {

struct Session {
  std::string token;  // 64 hexadecimal digits
  std::string csrf;   // 32
  BootTime used{};
};

class SignIn {
 public:
  static constexpr Millis kIdle = std::chrono::hours(12);
  static constexpr std::size_t kMaxSessions = 64;
  static constexpr Millis kCodeLife = std::chrono::minutes(15);
  static constexpr std::size_t kMaxCodes = 8;
  // Without those that look alike; 8 of 32 are 40 bits, and five guesses.
  static constexpr std::string_view kCodeLetters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
  static constexpr std::size_t kCodeLength = 8;

  TryLimit& tries() { return tries_; }

  const Session& begin_session(BootTime now);
  // Nothing: unknown, or idle for too long. A found one counts as used now.
  const Session* find(std::string_view token, BootTime now);
  // The same, without counting as use: a page left open shall not keep its session alive for ever.
  bool alive(std::string_view token, BootTime now) const;
  void end(std::string_view token);
  void end_all() { sessions_.clear(); }

  std::string make_code(BootTime now);
  // One that another process made (code_file.hpp), valid until then.
  void add_code(std::string code, BootTime until);
  // True once for a valid code, whatever the case of its letters; blanks and dashes do not count.
  bool take_code(std::string_view code, BootTime now);

 private:
  struct Code {
    std::string text;
    BootTime until{};
  };
  TryLimit tries_;
  std::vector<Session> sessions_;
  std::vector<Code> codes_;
};

// A fresh code's text.
std::string random_code();

}  // namespace tulpar::web
