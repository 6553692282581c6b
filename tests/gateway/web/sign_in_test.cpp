// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/sign_in.hpp"

#include <set>

#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::web;

namespace {
const BootTime kStart{std::chrono::hours(5)};
}

TEST_CASE("a session is found by its token while it is used") {
  SignIn sign_in;
  const Session session = sign_in.begin_session(kStart);
  CHECK(session.token.size() == 64);
  CHECK(session.csrf.size() == 32);
  CHECK(sign_in.find(session.token, kStart + SignIn::kIdle - Millis(1))->csrf == session.csrf);
  CHECK(sign_in.find(session.token, kStart + 2 * SignIn::kIdle - Millis(2)));
  CHECK_FALSE(sign_in.find(session.token, kStart + 3 * SignIn::kIdle));
  CHECK_FALSE(sign_in.find(session.csrf, kStart));
  CHECK_FALSE(sign_in.find("", kStart));
}

TEST_CASE("watching is not using") {
  SignIn sign_in;
  const auto token = sign_in.begin_session(kStart).token;
  CHECK(sign_in.alive(token, kStart + SignIn::kIdle - Millis(1)));
  CHECK_FALSE(sign_in.alive(token, kStart + SignIn::kIdle));
  CHECK_FALSE(sign_in.alive("", kStart));
}

TEST_CASE("sessions end one by one or all at once") {
  SignIn sign_in;
  const auto first = sign_in.begin_session(kStart).token, second = sign_in.begin_session(kStart).token;
  CHECK(first != second);
  sign_in.end(first);
  CHECK_FALSE(sign_in.find(first, kStart));
  CHECK(sign_in.find(second, kStart));
  sign_in.end_all();
  CHECK_FALSE(sign_in.find(second, kStart));
}

TEST_CASE("beyond the limit the session that was idle longest ends") {
  SignIn sign_in;
  std::vector<std::string> tokens;
  for (std::size_t i = 0; i < SignIn::kMaxSessions; ++i)
    tokens.push_back(sign_in.begin_session(kStart + Millis(i)).token);
  CHECK(sign_in.find(tokens[0], kStart + Millis(1000)));
  sign_in.begin_session(kStart + Millis(1001));
  CHECK(sign_in.find(tokens[0], kStart + Millis(1002)));
  CHECK_FALSE(sign_in.find(tokens[1], kStart + Millis(1002)));
  CHECK(sign_in.find(tokens[2], kStart + Millis(1002)));
}

TEST_CASE("a code is good once, for fifteen minutes, however it is typed") {
  SignIn sign_in;
  const auto code = sign_in.make_code(kStart);
  CHECK(code.size() == SignIn::kCodeLength);
  CHECK(code.find_first_not_of(SignIn::kCodeLetters) == std::string::npos);
  CHECK_FALSE(sign_in.take_code("", kStart));
  CHECK_FALSE(sign_in.take_code(code.substr(1), kStart));
  std::string typed = code.substr(0, 4) + " - " + code.substr(4);
  for (auto& c : typed) c = static_cast<char>(std::tolower(c));
  CHECK(sign_in.take_code(typed, kStart + SignIn::kCodeLife - Millis(1)));
  CHECK_FALSE(sign_in.take_code(code, kStart));
  const auto late = sign_in.make_code(kStart);
  CHECK_FALSE(sign_in.take_code(late, kStart + SignIn::kCodeLife));
}

TEST_CASE("codes differ, and only the last few are valid") {
  SignIn sign_in;
  std::vector<std::string> codes;
  for (std::size_t i = 0; i < SignIn::kMaxCodes + 1; ++i) codes.push_back(sign_in.make_code(kStart));
  CHECK(std::set<std::string>(codes.begin(), codes.end()).size() == codes.size());
  CHECK_FALSE(sign_in.take_code(codes.front(), kStart));
  CHECK(sign_in.take_code(codes[1], kStart));
  CHECK(sign_in.take_code(codes.back(), kStart));
}
