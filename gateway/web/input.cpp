// SPDX-License-Identifier: Apache-2.0
#include "gateway/web/input.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>

#include "config/text.hpp"
#include "config/units.hpp"
#include "gateway/web/rfc3339.hpp"

namespace tulpar::web {
namespace {

namespace json = boost::json;

// Ours are flat; eight levels let a client wrap them, and no text makes the parser deep.
constexpr std::size_t kMaxDepth = 8;

std::string integer_range(std::int64_t least, std::int64_t most) {
  return fmt::format("must be a whole number from {} to {}", least, most);
}

template <class Allowed>
std::string one_of(const Allowed& allowed) {
  return fmt::format("must be one of {}", fmt::join(allowed, ", "));
}

}  // namespace

void InputReader::fail(std::string_view name, std::string_view what) {
  if (!error_) error_ = fmt::format("`{}` {}", name, what);
}

Result<void> InputReader::finish() {
  // First: a misspelt name explains best why another one is missing.
  for (const auto& name : given()) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    const auto allowed =
        known_.empty() ? "nothing is expected" : fmt::format("allowed are: {}", fmt::join(known_, ", "));
    return Error{fmt::format("{} is not known here; {}", config::quote_short(name), allowed)};
  }
  return error_ ? Result<void>(Error{*error_}) : Result<void>();
}

std::vector<std::string> QueryReader::given() const {
  std::vector<std::string> names;
  for (const auto& [name, value] : query_) names.push_back(name);
  return names;
}

const std::string* QueryReader::find(std::string_view name) {
  asked(name);
  const std::string* found = nullptr;
  for (const auto& [key, value] : query_) {
    if (key != name) continue;
    if (found) fail(name, "is given twice");
    found = &value;
  }
  return found && !found->empty() ? found : nullptr;
}

std::optional<std::string> QueryReader::text(std::string_view name, std::size_t most) {
  const auto* value = find(name);
  if (!value) return std::nullopt;
  if (value->size() <= most) return *value;
  fail(name, fmt::format("must be at most {} bytes long", most));
  return std::nullopt;
}

std::optional<std::int64_t> QueryReader::integer(std::string_view name, std::int64_t least, std::int64_t most) {
  const auto* value = find(name);
  if (!value) return std::nullopt;
  std::int64_t number = 0;
  const char* end = value->data() + value->size();
  const auto [stop, error] = std::from_chars(value->data(), end, number);
  if (error == std::errc() && stop == end && number >= least && number <= most) return number;
  fail(name, integer_range(least, most));
  return std::nullopt;
}

std::optional<std::string> QueryReader::choice(std::string_view name,
                                               std::span<const std::string_view> allowed) {
  const auto* value = find(name);
  if (!value) return std::nullopt;
  if (std::find(allowed.begin(), allowed.end(), *value) != allowed.end()) return *value;
  fail(name, one_of(allowed));
  return std::nullopt;
}

std::optional<WallTime> QueryReader::time(std::string_view name) {
  const auto* value = find(name);
  if (!value) return std::nullopt;
  const auto at = parse_time(*value);
  if (at) return *at;
  fail(name, "must be " + at.error().message);
  return std::nullopt;
}

BodyReader::BodyReader(std::string_view body) {
  if (body.empty()) return;
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  auto parsed = json::parse(body, error, {}, options);
  if (error)
    fail("body", fmt::format("is not JSON (nested at most {} deep): {}", kMaxDepth, error.message()));
  else if (!parsed.is_object())
    fail("body", "must be a JSON object");
  else
    body_ = std::move(parsed.get_object());
}

std::vector<std::string> BodyReader::given() const {
  std::vector<std::string> names;
  for (const auto& field : body_) names.emplace_back(field.key());
  return names;
}

const json::value* BodyReader::find(std::string_view name) {
  asked(name);
  return body_.if_contains(name);
}

void BodyReader::require(std::string_view name) {
  if (!has(name)) fail(name, "is needed");
}

std::optional<std::string> BodyReader::text(std::string_view name, std::size_t most) {
  const auto* value = find(name);
  if (!value) return std::nullopt;
  const auto* text = value->if_string();
  if (text && text->size() <= most) return std::string(*text);
  fail(name, fmt::format("must be a text of at most {} bytes", most));
  return std::nullopt;
}

std::optional<std::string> BodyReader::choice(std::string_view name, std::span<const std::string> allowed) {
  const auto* value = find(name);
  if (!value) return std::nullopt;
  const auto* text = value->if_string();
  if (text && std::find(allowed.begin(), allowed.end(), std::string_view(*text)) != allowed.end())
    return std::string(*text);
  fail(name, one_of(allowed));
  return std::nullopt;
}

std::optional<std::int64_t> BodyReader::integer(std::string_view name, std::int64_t least, std::int64_t most) {
  const auto* value = find(name);
  if (!value) return std::nullopt;
  const auto* number = value->if_int64();
  if (number && *number >= least && *number <= most) return *number;
  fail(name, integer_range(least, most));
  return std::nullopt;
}

std::optional<Bytes> BodyReader::base64(std::string_view name, std::size_t most) {
  const auto* value = find(name);
  if (!value) return std::nullopt;
  const auto* text = value->if_string();
  auto bytes = text ? config::parse_base64(*text) : Result<Bytes>(Error{});
  if (bytes && bytes->size() <= most) return std::move(*bytes);
  fail(name, fmt::format("must be base64 (RFC 4648, padded) of at most {} bytes", most));
  return std::nullopt;
}

std::optional<config::Money> BodyReader::money(std::string_view name) {
  const auto* value = find(name);
  if (!value) return std::nullopt;
  // The parser has rounded a number to a double; its shortest decimal is what was written, up to 15 digits.
  const auto* text = value->if_string();
  const auto* real = value->if_double();
  const auto amount = config::parse_money(text   ? std::string(*text)
                                          : real ? fmt::format("{}", *real)
                                                 : json::serialize(*value));
  if (amount && *amount >= 0) return *amount;
  fail(name, R"(must be an amount with at most nine decimals, e.g. 12.50 or "12.50")");
  return std::nullopt;
}

std::optional<WallTime> BodyReader::time(std::string_view name) {
  const auto* value = find(name);
  if (!value) return std::nullopt;
  const auto* text = value->if_string();
  const auto at = parse_time(text ? std::string(*text) : json::serialize(*value));
  if (at) return *at;
  fail(name, "must be " + at.error().message);
  return std::nullopt;
}

}  // namespace tulpar::web
