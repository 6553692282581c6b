// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/http.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gateway/web/json_writer.hpp"

namespace tulpar::web {
namespace {

// The longest that we ask for is a filter over messages; beyond this somebody is probing.
constexpr std::size_t kMaxTarget = 2048;

constexpr std::array<std::pair<int, std::string_view>, 23> kPhrases{{
    {101, "Switching Protocols"},
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {411, "Length Required"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

Result<std::string> unescape(std::string_view text, bool plus_is_space) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0 || high + low == 0) return Error{"the address holds a % that begins no escape"};
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return {boost::system::in_place_value, std::move(out)};
}

// What stands before the separator; takes both off the text.
std::string_view take_until(std::string_view& text, char separator) {
  const auto at = text.find(separator);
  const auto head = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return head;
}

Result<void> read_query(std::string_view text, Target& target) {
  while (!text.empty()) {
    auto pair = take_until(text, '&');
    if (pair.empty()) continue;
    const auto name = unescape(take_until(pair, '='), true);
    const auto value = unescape(pair, true);
    if (!name) return name.error();
    if (!value) return value.error();
    target.query.emplace_back(*name, *value);
  }
  return {};
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const auto& [key, value] : fields_)
    if (equal_ignoring_case(key, name)) return value;
  return std::nullopt;
}

std::string_view phrase(int status) {
  for (const auto& [code, words] : kPhrases)
    if (code == status) return words;
  return "Unknown";
}

std::string http_date(WallTime at) {
  static constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const auto second = std::chrono::floor<std::chrono::seconds>(at - day).count();
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[std::chrono::weekday(day).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), second / 3600, second / 60 % 60, second % 60);
}

Response json_response(int status, std::string body) {
  Response response{.status = status, .body = std::move(body)};
  response.headers.add("Content-Type", "application/json");
  return response;
}

Response problem(int status, std::string_view detail) {
  JsonWriter json;
  json.object().field("type", "about:blank").field("title", phrase(status)).field("status", status);
  json.field("detail", detail).end();
  Response response{.status = status, .body = json.take()};
  response.headers.add("Content-Type", "application/problem+json");
  return response;
}

Result<Target> parse_target(std::string_view text) {
  if (text.size() > kMaxTarget) return Error{"the address is longer than 2048 bytes"};
  // Proxies send the absolute form (RFC 9112, 3.2.2).
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme)) continue;
    const auto slash = text.find('/', scheme.size());
    text = slash == std::string_view::npos ? std::string_view("/") : text.substr(slash);
  }
  auto query = text;
  auto path = take_until(query, '?');
  if (!path.starts_with('/')) return Error{"the address does not begin with /"};
  path.remove_prefix(1);
  Target target;
  if (!path.empty()) {
    for (bool more = true; more;) {
      more = path.find('/') != std::string_view::npos;
      auto segment = unescape(take_until(path, '/'), false);
      if (!segment) return segment.error();
      target.path.push_back(std::move(*segment));
    }
  }
  if (const auto read = read_query(query, target); !read) return read.error();
  return target;
}

}  // namespace tulpar::web
