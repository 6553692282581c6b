// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/sections.hpp"

namespace tulpar::config {

using namespace std::chrono_literals;

namespace {

using Classes = std::vector<MessageClass>;

constexpr std::size_t kMaxRules = 1000;
// Meshtastic's port numbers end with PortNum MAX = 511.
constexpr std::int64_t kMaxPort = 511;
constexpr std::int64_t kMaxLevel = 32;

// Not std::tolower: it obeys the locale.
char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

Classes::iterator find_class(Classes& classes, std::string_view name) {
  return std::find_if(classes.begin(), classes.end(),
                      [&](const MessageClass& cls) { return cls.name == name; });
}

std::string unknown_class(const Classes& classes, std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& cls : classes) names.push_back(cls.name);
  return fmt::format("no such class; the nearest is \"{}\" (there are {})", nearest(name, names),
                     fmt::join(names, ", "));
}

void read_policy(TableReader& table, MessageClass& out) {
  assign(out.weight, table.integer("weight", 1, 1000));
  assign(out.minimum_share, table.number("minimum_share", 0, 0.5));
  assign(out.hold, table.duration("hold", 0s, 24h));
  assign(out.ttl, table.duration("ttl", 0s, 24h * 366));
  assign(out.latest_only, table.boolean("latest_only"));
  assign(out.over_quota, table.choice<OverQuota>("over_quota", kOverQuotaWords));
  if (out.ttl.count() != 0 && out.ttl <= out.hold)
    table.error("ttl",
                "must be longer than hold, or every message would expire while it waits (0s: never expires)");
}

// Nothing holds an SOS back, and nothing else is as free.
void check_urgency(TableReader& table, const MessageClass& cls, bool emergency, bool moved) {
  const bool always = cls.over_quota == OverQuota::kAlways;
  const bool bent = cls.hold.count() != 0 || cls.ttl.count() != 0 || cls.latest_only || !always || moved;
  if (emergency && bent)
    table.error("name",
                "emergency stays first, never waits, never expires and always goes; only weight and "
                "minimum_share may be changed");
  if (!emergency && always) table.error("over_quota", "only emergency always goes; write e.g. \"to-the-end\"");
}

// Where a new class goes that does not say `after` which: before the last of the default ones.
Classes::iterator default_place(Classes& classes) { return find_class(classes, default_classes().back().name); }

void read_class(TableReader& table, Classes& classes, std::set<std::string>& seen) {
  table.require("name", R"("telemetry")");
  const auto name = table.text("name", check_name);
  const auto after = table.text("after");
  const auto known = name ? find_class(classes, *name) : classes.end();
  const bool is_new = known == classes.end();
  auto cls = is_new ? *find_class(classes, "normal") : *known;
  read_policy(table, cls);
  if (!name) return;
  if (!seen.insert(*name).second) return table.error("name", "given twice");
  check_urgency(table, cls, known == classes.begin(), after.has_value());
  if (is_new) cls.name = *name;
  if (!is_new && !after) {
    *known = cls;
    return;
  }
  auto others = classes;
  if (!is_new) others.erase(find_class(others, *name));
  const auto before = after ? find_class(others, *after) : others.end();
  if (after && before == others.end()) return table.error("after", unknown_class(others, *after));
  others.insert(after ? before + 1 : default_place(others), cls);
  classes = std::move(others);
}

Rule& read_rule(TableReader& table, const Classes& classes, Rule& out) {
  assign(out.topic, table.text("topic", check_filter));
  const auto cls = table.text("class");
  assign(out.cls, cls);
  assign(out.drop, table.boolean("drop"));
  assign(out.node, table.integer("node", 1, kMaxLevel));
  assign(out.port, table.integer("port", 0, kMaxPort));
  assign(out.channel, table.text("channel", check_channel_name));
  assign(out.from, table.text("from", check_node_id));
  std::transform(out.from.begin(), out.from.end(), out.from.begin(), to_lower);
  assign(out.min_size, table.size("min_size", 0, kMaxPayload));
  assign(out.max_size, table.size("max_size", 0, kMaxPayload));
  const auto named = [&](const MessageClass& known) { return known.name == out.cls; };
  if (cls && std::none_of(classes.begin(), classes.end(), named))
    table.error("class", unknown_class(classes, *cls));
  if (table.has("class") == out.drop) table.error("class", "a rule gives either a class or drop = true");
  if (out.min_size && out.max_size && *out.min_size > *out.max_size)
    table.error("min_size", "larger than max_size: the rule would never match");
  return out;
}

}  // namespace

void read_classes(TableReader& table, Classes& out) {
  std::set<std::string> seen;
  table.tables("class", kMaxClasses, [&](TableReader& cls) { read_class(cls, out, seen); });
  if (out.size() > kMaxClasses)
    table.error("class", fmt::format("{} classes with the default ones; at most {}", out.size(), kMaxClasses));
  double shares = 0;
  for (const auto& cls : out) shares += cls.minimum_share;
  if (shares > 1)
    table.error("class", fmt::format("minimum_share of all classes together is {}; at most 1", shares));
}

void read_rules(TableReader& table, const Classes& classes, std::vector<Rule>& out,
                const std::vector<std::string>& topics) {
  table.tables("rule", kMaxRules, [&](TableReader& rule) {
    const std::string filter = read_rule(rule, classes, out.emplace_back()).topic;
    const auto reaches = [&](const std::string& topic) { return filters_overlap(topic, filter); };
    if (!topics.empty() && std::none_of(topics.begin(), topics.end(), reaches))
      rule.warn("topic", "never matches: no filter of [mqtt] topics brings such a message");
  });
}

}  // namespace tulpar::config
