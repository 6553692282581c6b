// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/sign_in.hpp"

#include <algorithm>

#include "gateway/web/secrets.hpp"

namespace tulpar::web {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kCsrfBytes = 16;

std::string normal(std::string_view code) {
  std::string out;
  for (const char c : code) {
    if (c == ' ' || c == '-') continue;
    out += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return out;
}

}  // namespace

std::string random_code() {
  std::string code;
  // 32 letters: the low five bits of a byte favour none.
  static_assert(SignIn::kCodeLetters.size() == 32);
  for (const auto byte : random_bytes(SignIn::kCodeLength)) code += SignIn::kCodeLetters[byte % 32];
  return code;
}

const Session& SignIn::begin_session(BootTime now) {
  std::erase_if(sessions_, [now](const Session& session) { return now - session.used >= kIdle; });
  if (sessions_.size() >= kMaxSessions)
    sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(),
                                     [](const Session& a, const Session& b) { return a.used < b.used; }));
  sessions_.push_back({.token = random_hex(kTokenBytes), .csrf = random_hex(kCsrfBytes), .used = now});
  return sessions_.back();
}

const Session* SignIn::find(std::string_view token, BootTime now) {
  Session* found = nullptr;
  // All of them, whatever is found: the time must not tell which one was nearly right.
  for (auto& session : sessions_)
    if (same_secret(session.token, token) && now - session.used < kIdle) found = &session;
  if (found) found->used = now;
  return found;
}

bool SignIn::alive(std::string_view token, BootTime now) const {
  return std::any_of(sessions_.begin(), sessions_.end(), [&](const Session& session) {
    return same_secret(session.token, token) && now - session.used < kIdle;
  });
}

void SignIn::end(std::string_view token) {
  std::erase_if(sessions_, [token](const Session& session) { return same_secret(session.token, token); });
}

std::string SignIn::make_code(BootTime now) {
  auto code = random_code();
  add_code(code, now + kCodeLife);
  return code;
}

void SignIn::add_code(std::string code, BootTime until) {
  if (codes_.size() >= kMaxCodes) codes_.erase(codes_.begin());
  codes_.push_back({std::move(code), until});
}

bool SignIn::take_code(std::string_view code, BootTime now) {
  std::erase_if(codes_, [now](const Code& known) { return known.until <= now; });
  const auto wanted = normal(code);
  const auto found = std::find_if(codes_.begin(), codes_.end(),
                                  [&](const Code& known) { return same_secret(known.text, wanted); });
  if (found == codes_.end()) return false;
  codes_.erase(found);
  return true;
}

}  // namespace tulpar::web
