// SPDX-License-Identifier: Apache-2.0
//
// Asks a running daemon by its Unix socket, without holding up the executor's thread.
//
// parse_answer and parse_figures are pure; ask runs on the calling coroutine's executor. One connection a
// question. Only what Tulpar's own server answers is understood: no chunks, at most kMaxAnswer.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <string_view>

#include "config/base.hpp"

namespace tulpar::demo {

inline constexpr std::size_t kMaxAnswer = 1 << 20;

struct ApiAnswer {
  int status = 0;
  std::string body;
};

// `text`: all that came over the connection.
Result<ApiAnswer> parse_answer(std::string_view text);

// An error says what failed; an answer of 4xx or 5xx is none.
boost::asio::awaitable<Result<ApiAnswer>> ask(std::string socket, std::string method, std::string target);

// What the ledger in /api/v1/status says of messages that will not arrive.
struct GatewayFigures {
  std::uint64_t conflated = 0;  // a newer one of the same node and kind went
  std::uint64_t lost = 0;       // expired or dropped
};
Result<GatewayFigures> parse_figures(std::string_view status);

// The one-time code in the answer to POST /api/v1/codes.
Result<std::string> parse_code(std::string_view body);

}  // namespace tulpar::demo
