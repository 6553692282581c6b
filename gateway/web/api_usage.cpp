// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>

#include "gateway/web/api.hpp"
#include "gateway/web/input.hpp"
#include "gateway/web/status_json.hpp"

namespace tulpar::web {
namespace {

using std::chrono::days;
using std::chrono::seconds;

// No page draws more; and an answer shall fit into memory also with a hundred nodes in each slot.
constexpr std::int64_t kMaxSlots = 2000;
constexpr std::size_t kMaxName = 255;
// Beyond 2^53 JSON numbers are no longer exact.
constexpr std::int64_t kMaxBytes = 1LL << 53;

struct Resolution {
  std::string_view name;
  int slot;          // as the store asks for it; 0: the month
  seconds at_least;  // a slot's length
  seconds span;      // shown where no `from` is given
};
constexpr Resolution kResolutions[] = {
    {"5min", 300, seconds(300), days(1)},
    {"hour", 3600, seconds(3600), days(7)},
    {"day", 86'400, days(1), days(31)},
    {"month", 0, days(28), days(366)},
};
constexpr std::array<std::string_view, 4> kResolutionNames = {"5min", "hour", "day", "month"};
constexpr std::array<std::string_view, 3> kBy = {"class", "node", "link"};

const Resolution& resolution_named(std::string_view name) {
  for (const auto& resolution : kResolutions)
    if (resolution.name == name) return resolution;
  return kResolutions[1];
}

// One of two ways to tell an amount.
void require_one_amount(BodyReader& body, std::string_view bytes) {
  if (body.has(bytes) == body.has("cost")) body.fail(bytes, "or `cost` is needed, one of them");
}

std::optional<config::ByteSize> size(BodyReader& body, std::string_view name) {
  const auto value = body.integer(name, 0, kMaxBytes);
  return value ? std::optional(static_cast<config::ByteSize>(*value)) : std::nullopt;
}

}  // namespace

void Api::get_usage(Call& call, Respond respond) {
  QueryReader query(call.target.query);
  const auto& resolution = resolution_named(query.choice("resolution", kResolutionNames).value_or("hour"));
  const auto by = query.choice("by", kBy).value_or("class");
  const auto to = query.time("to").value_or(std::max(clock_.wall(), WallTime(resolution.span)));
  const auto from = query.time("from").value_or(to - resolution.span);
  if (from >= to) query.fail("from", "must be before `to`");
  if ((to - from) / resolution.at_least > kMaxSlots)
    query.fail("from", fmt::format("and `to` may be at most {} slots of {} apart", kMaxSlots, resolution.name));
  if (const auto read = query.finish(); !read) return respond(problem(400, read.error().message));

  const auto unix_seconds = [](WallTime at) {
    return std::chrono::floor<seconds>(at).time_since_epoch().count();
  };
  const UsageQuery asked{
      .resolution = resolution.slot, .from = unix_seconds(from), .to = unix_seconds(to), .by = by};
  backend_.usage(
      asked, [asked, name = resolution.name, respond](const Outcome<std::vector<queue::UsageRow>>& rows) {
        respond(rows ? json_response(200, usage_json(asked, name, *rows)) : failure_response(rows.error()));
      });
}

void Api::get_plan(Call& call, Respond respond) {
  QueryReader query(call.target.query);
  if (const auto read = query.finish(); !read) return respond(problem(400, read.error().message));
  respond(json_response(200, plan_json(backend_.status().links)));
}

void Api::post_reading(Call& call, Respond respond) {
  BodyReader body(call.request.body);
  Reading reading;
  reading.link = body.text("link", kMaxName).value_or("");
  reading.wire_bytes = size(body, "wire_bytes");
  reading.cost = body.money("cost");
  reading.at = body.time("at").value_or(clock_.wall());
  body.require("link");
  require_one_amount(body, "wire_bytes");
  if (const auto read = body.finish(); !read) return respond(problem(400, read.error().message));
  backend_.reading(reading, answer_nothing(std::move(respond)));
}

void Api::post_allow(Call& call, Respond respond) {
  BodyReader body(call.request.body);
  Allowance allowance;
  allowance.link = body.text("link", kMaxName).value_or("");
  allowance.bytes = size(body, "bytes");
  allowance.cost = body.money("cost");
  allowance.until = body.time("until");
  body.require("link");
  require_one_amount(body, "bytes");
  if (const auto read = body.finish(); !read) return respond(problem(400, read.error().message));
  backend_.allow(allowance, answer_nothing(std::move(respond)));
}

}  // namespace tulpar::web
