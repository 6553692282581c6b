// SPDX-License-Identifier: Apache-2.0
//
// The part of a rate card that the first plan acts upon; the rest is in load_plan_later.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "config/plans.hpp"
#include "config/sections.hpp"
#include "config/text.hpp"
#include "config/units.hpp"

namespace tulpar::config {

using namespace std::chrono_literals;

namespace {

__extension__ using Wide = unsigned __int128;

enum class Over { kHold, kSpend, kThrottle };
constexpr std::string_view kOverWords[] = {"hold", "spend", "throttle"};

std::string no_such_plan(std::string_view name, const std::filesystem::path& file) {
  std::vector<std::string_view> names;
  for (const auto& preset : presets()) names.push_back(preset.name);
  return fmt::format("no such plan; the nearest is \"{}\" (built in: {}; or write {})", nearest(name, names),
                     fmt::join(names, ", "), file.string());
}

// The preset's table, from the operator's folder or built in; nothing if there is none, or none that can be
// read.
std::optional<Node> open_preset(TableReader& link, const Node& named, std::string_view key,
                                const PlanFolder& plans) {
  const auto fail = [&](std::string message) {
    link.error_at(named, key, std::move(message));
    return std::nullopt;
  };
  const auto& name = named.text;
  if (const auto check = check_name(name); !check) return fail(check.error().message);
  const auto file = plans.path / (name + ".toml");
  const auto own = plans.read(file);
  if (!own) return fail(fmt::format("{}: {}", file.string(), own.error().message));
  const auto built_in = preset_text(name);
  if (!*own && built_in.empty()) return fail(no_such_plan(name, file));
  const auto origin =
      *own ? Origin{file.string(), plans.path} : Origin{fmt::format("plan {} (built in)", name), {}};
  auto document = parse_document(*own ? **own : built_in, std::make_shared<Origin>(origin), link.problems());
  if (document && document->find("preset"))
    return fail(fmt::format("{}: a preset cannot build on another", origin.name));
  return document;
}

// How many bytes the money buys beyond the included volume; rounded down, at most kMaxVolume.
ByteSize bytes_for(Money money, const Plan& plan) {
  if (plan.price == 0) return kMaxVolume;
  const auto bytes = static_cast<Wide>(money) * plan.per / static_cast<Wide>(plan.price);
  return bytes > kMaxVolume ? kMaxVolume : static_cast<ByteSize>(bytes);
}

void read_spending(TableReader& table, Plan& out, Over over) {
  const auto limit = table.money("spend_limit");
  if (over != Over::kSpend) {
    if (limit) table.warn("spend_limit", "has no effect without over = \"spend\"");
    if (out.included == 0)
      table.error("included",
                  "must be more than 0B, or nothing but emergency would ever leave (or over = \"spend\")");
    out.hard_cap = std::min(out.hard_cap.value_or(out.included), out.included);
    return;
  }
  if (out.price == 0) table.error("price", "missing; over = \"spend\" needs it");
  if (limit) out.hard_cap = std::min(out.hard_cap.value_or(kMaxVolume), out.included + bytes_for(*limit, out));
  if (!out.hard_cap) table.warn("spend_limit", "none, and no hard_cap: the bill has no upper limit");
}

void read_reserve(TableReader& table, const std::vector<MessageClass>& classes, Plan& out) {
  std::optional<ByteSize> given;
  table.table("reserve", [&](TableReader& reserve) {
    for (const auto& cls : classes) {
      const auto size = reserve.size(cls.name, 0, kMaxVolume);
      if (cls.name == classes.front().name)
        given = size;
      else if (size)
        warn_later(reserve, cls.name, "so far only emergency has a reserve");
    }
  });
  const auto volume = out.hard_cap.value_or(kMaxVolume);
  out.reserve = given.value_or(std::min(out.reserve, volume / 10));
  if (out.reserve > volume)
    table.error("reserve",
                fmt::format("larger than the volume that it is taken from, {}", format_size(volume)));
}

void read_volume(TableReader& table, Plan& out) {
  assign(out.currency, table.text("currency", check_currency));
  const auto included = table.size("included", 0, kMaxVolume);
  // One that is not a size is told once: nothing follows from it.
  if (included || table.has("included")) out.included = included.value_or(kMaxVolume);
  assign(out.price, table.money("price"));
  assign(out.per, table.size("per", 1, kMaxVolume));
  assign(out.hard_cap, table.size("hard_cap", 0, kMaxVolume));
  assign(out.soft_cap, table.number("soft_cap", 0, 1));
}

// `every` and `prepaid`: read as the month that comes nearest.
void read_other_cycles(TableReader& cycle, Plan& out, bool monthly) {
  const auto every = cycle.duration("every", 24h, 24h * 366);
  const auto from = cycle.date("from");
  const auto prepaid = cycle.size("prepaid", 1, kMaxVolume);
  const bool expires = cycle.date("expires").has_value();
  if ((every || from ? 1 : 0) + (prepaid || expires ? 1 : 0) + (monthly ? 1 : 0) > 1)
    return cycle.error("", "either { reset_day, time, zone } or { every, from } or { prepaid, expires }");
  if (every.has_value() != from.has_value())
    return cycle.error(every ? "from" : "every", "missing: every and from go together");
  if (from) {
    std::from_chars(from->data() + 8, from->data() + 10, out.cycle.reset_day);
    warn_later(cycle, "every", fmt::format("counted by the month, from day {}", out.cycle.reset_day));
  }
  if (prepaid) {
    if (out.included == 0) out.included = *prepaid;
    warn_later(cycle, "prepaid", "counted as a volume a month; what is left over is not carried on");
  }
}

void read_cycle(TableReader& table, Plan& out) {
  table.table("cycle", [&](TableReader& cycle) {
    assign(out.cycle.reset_day, cycle.integer("reset_day", 1, 31));
    assign(out.cycle.reset_minute, cycle.time_of_day("time"));
    assign(out.cycle.zone, cycle.text("zone", check_zone));
    read_other_cycles(cycle, out, cycle.has("reset_day"));
  });
}

void read_card(TableReader& table, const std::vector<MessageClass>& classes, Link& out) {
  Plan plan;
  assign(out.plan_name, table.text("preset"));
  read_volume(table, plan);
  read_cycle(table, plan);
  auto over = Over::kHold;
  assign(over, table.choice<Over>("over", kOverWords));
  if (over == Over::kThrottle) warn_later(table, "over", "treated as \"hold\"");
  read_spending(table, plan, over);
  read_reserve(table, classes, plan);
  read_later(table);
  out.plan = plan;
}

// The preset with the card's own keys over it; it stands where the card stands.
Node build_on(Node preset, const Node& card) {
  Node built = overlay(std::move(preset), card);
  built.line = card.line;
  built.origin = card.origin;
  built.is_inline = card.is_inline;
  return built;
}

}  // namespace

void read_plan(TableReader& link, const std::vector<MessageClass>& classes, const PlanFolder& plans,
               Link& out) {
  const Node* plan = link.find("plan");
  if (!plan) return;
  if (plan->kind != Node::Kind::kString && plan->kind != Node::Kind::kTable)
    return link.error("plan", "must be a preset's name in quotes, or a table [link.plan]");
  const bool is_name = plan->kind == Node::Kind::kString;
  const Node* name = is_name ? plan : plan->find("preset");
  Node card = *plan;
  if (name && name->kind == Node::Kind::kString) {
    auto preset = open_preset(link, *name, is_name ? "plan" : "plan.preset", plans);
    if (!preset) return;
    card = is_name ? *std::move(preset) : build_on(*std::move(preset), *plan);
    if (is_name) out.plan_name = name->text;
  }
  link.visit("plan", card, [&](TableReader& table) { read_card(table, classes, out); });
}

}  // namespace tulpar::config
