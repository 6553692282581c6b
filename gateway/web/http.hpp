// SPDX-License-Identifier: Apache-2.0
//
// A request and its answer as plain values, so that everything above the sockets is tested without them.
//
// Any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/base.hpp"

namespace tulpar::web {

// In the order in which they came; names compare without regard to case.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  // The first of that name.
  std::optional<std::string_view> find(std::string_view name) const;
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Where a request came from.
struct Caller {
  bool local = false;  // by the Unix socket: whoever may open it may do everything
  bool tls = false;
  std::string address{};  // without a port; empty on the Unix socket
};

struct Request {
  std::string method{}, target{};
  Headers headers{};
  std::string body{};
  Caller caller{};
};

struct Response {
  int status = 200;
  Headers headers{};
  std::string body{};
  std::string_view fixed{};  // instead of `body`: what lives as long as the program
  bool upgrade = false;      // instead of an answer: becomes the live feed
  std::string session{};     // of the live feed: it ends with this session; empty: with none
  std::string_view content() const { return fixed.empty() ? std::string_view(body) : fixed; }
};
using Respond = std::function<void(Response)>;

// "Not Found" for 404.
std::string_view phrase(int status);

Response json_response(int status, std::string body);
// RFC 9457; `detail` in words that a person can act on.
Response problem(int status, std::string_view detail);

// ASCII only, as HTTP's names are.
bool equal_ignoring_case(std::string_view a, std::string_view b);

// "Sun, 22 Nov 2026 10:00:00 GMT" (RFC 9110, 5.6.7).
std::string http_date(WallTime at);

struct Target {
  std::vector<std::string> path;  // segments, unescaped; "/" has none, "/a/" is "a" and ""
  std::vector<std::pair<std::string, std::string>> query;
};
// At most 2048 bytes. Escapes must be whole, and no NUL may hide in one.
Result<Target> parse_target(std::string_view text);

}  // namespace tulpar::web
