// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/local_api.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <charconv>
#include <limits>

namespace tulpar::demo {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr auto kUse = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view kProtocol = "HTTP/1.1 ";

Error failed(const std::string& socket, const boost::system::error_code& cause) {
  return Error{fmt::format("{}: {}", socket, cause.message())};
}

// The object under `name`; an empty one where there is none.
json::object object_in(const json::value& value, std::string_view name) {
  const json::object* outer = value.if_object();
  const json::value* inner = outer ? outer->if_contains(name) : nullptr;
  return inner && inner->is_object() ? inner->get_object() : json::object{};
}

Result<std::uint64_t> count_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  const std::int64_t* number = value ? value->if_int64() : nullptr;
  if (!number || *number < 0) return Error{fmt::format("no count `{}`", name)};
  return static_cast<std::uint64_t>(*number);
}

}  // namespace

Result<ApiAnswer> parse_answer(std::string_view text) {
  const std::size_t end = text.find("\r\n\r\n");
  ApiAnswer answer;
  if (!text.starts_with(kProtocol) || end == std::string_view::npos) return Error{"no HTTP answer"};
  const char* status = text.data() + kProtocol.size();
  if (std::from_chars(status, status + 3, answer.status).ptr != status + 3) return Error{"no HTTP status"};
  answer.body = text.substr(end + 4);
  return answer;
}

asio::awaitable<Result<ApiAnswer>> ask(std::string socket, std::string method, std::string target) {
  asio::local::stream_protocol::socket connection(co_await asio::this_coro::executor);
  const auto [refused] =
      co_await connection.async_connect(asio::local::stream_protocol::endpoint(socket), kUse);
  if (refused) co_return failed(socket, refused);
  const std::string request = fmt::format(
      "{} {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", method, target);
  const auto [unsent, sent] = co_await asio::async_write(connection, asio::buffer(request), kUse);
  if (unsent) co_return failed(socket, unsent);

  std::string text;
  std::array<char, 8192> piece;
  while (text.size() < kMaxAnswer) {
    const auto [ended, size] = co_await connection.async_read_some(asio::buffer(piece), kUse);
    text.append(piece.data(), size);
    if (ended == asio::error::eof) co_return parse_answer(text);
    if (ended) co_return failed(socket, ended);
  }
  co_return Error{fmt::format("{}: an answer of more than {} bytes", socket, kMaxAnswer)};
}

Result<GatewayFigures> parse_figures(std::string_view status) {
  boost::system::error_code broken;
  const json::value value = json::parse(status, broken);
  if (broken) return Error{"status: " + broken.message()};
  const json::object ledger = object_in(value, "ledger");
  const auto conflated = count_in(ledger, "conflated"), expired = count_in(ledger, "expired"),
             dropped = count_in(ledger, "dropped");
  for (const auto* count : {&conflated, &expired, &dropped}) {
    if (!*count) return Error{"status: " + count->error().message};
  }
  return GatewayFigures{.conflated = *conflated, .lost = *expired + *dropped};
}

Result<std::string> parse_code(std::string_view body) {
  boost::system::error_code broken;
  const json::value value = json::parse(body, broken);
  const json::object* object = broken ? nullptr : value.if_object();
  const json::value* code = object ? object->if_contains("code") : nullptr;
  if (!code || !code->is_string() || code->get_string().empty()) return Error{"no one-time code"};
  return {boost::system::in_place_value, code->get_string()};
}

}  // namespace tulpar::demo
