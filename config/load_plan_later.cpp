// SPDX-License-Identifier: Apache-2.0
//
// The part of a rate card that is read and checked, but not acted upon yet: each key that asks for more than
// the first plan does becomes a warning, so that nobody takes the estimate for the bill.
#include <fmt/format.h>

#include "config/sections.hpp"
#include "config/units.hpp"

namespace tulpar::config {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMaxEntries = 32;  // tiers, free windows

void read_rounding(TableReader& table) {
  constexpr std::string_view kCounts[] = {"sum", "up", "down", "separate"};
  constexpr std::string_view kScopes[] = {"cycle", "message", "session", "day"};
  constexpr std::string_view kSplits[] = {"none", "midnight"};
  constexpr std::string_view kWhole =
      "the bytes of both directions are added up over the cycle, without rounding";
  if (table.choice<int>("counts", kCounts).value_or(0) != 0) warn_later(table, "counts", kWhole);
  if (table.size("unit", 1, kMaxVolume).value_or(1) != 1) warn_later(table, "unit", kWhole);
  if (table.choice<int>("round_per", kScopes).value_or(0) != 0) warn_later(table, "round_per", kWhole);
  if (table.size("minimum", 0, kMaxVolume).value_or(0) != 0) warn_later(table, "minimum", kWhole);
  if (table.size("extra_per_packet", 0, 1000).value_or(0) != 0)
    warn_later(table, "extra_per_packet", "counted as 0B");
  if (table.number("factor", 0.1, 10).value_or(1) != 1) warn_later(table, "factor", "counted as 1.0");
  if (table.duration("session_gap", 1s, 24h).value_or(60s) != 60s) warn_later(table, "session_gap", kWhole);
  if (table.choice<int>("session_split", kSplits).value_or(0) != 0) warn_later(table, "session_split", kWhole);
}

void read_sessions(TableReader& table) {
  table.table("session_floor", [](TableReader& floor) {
    floor.require("rate", R"("300B/s")");
    floor.require("after", R"("300s")");
    floor.rate("rate", 1, 1'000'000'000);
    floor.duration("after", 0s, 24h);
  });
  if (table.has("session_floor"))
    warn_later(table, "session_floor", "a session costs its bytes, however long it is");
  bool priced = false;
  table.table("events", [&](TableReader& events) {
    priced |= events.money("session").value_or(0) != 0;
    priced |= events.money("mailbox_check").value_or(0) != 0;
  });
  if (priced) warn_later(table, "events", "only bytes are counted");
}

void read_prices(TableReader& table) {
  ByteSize last = 0;
  table.tables("tiers", kMaxEntries, [&](TableReader& tier) {
    tier.require("upto", R"("100MB")");
    tier.require("price", "4.00");
    const auto upto = tier.size("upto", 1, kMaxVolume);
    tier.money("price");
    if (upto && *upto <= last) tier.error("upto", "must grow from tier to tier");
    last = upto.value_or(last);
  });
  if (table.has("tiers")) warn_later(table, "tiers", "every byte beyond the included volume costs `price`");
  table.table("throttle", [](TableReader& throttle) {
    throttle.rate("up", 1, 10'000'000'000);
    throttle.rate("down", 1, 10'000'000'000);
  });
  if (table.has("throttle")) warn_later(table, "throttle", "at the end of the volume all but emergency waits");
}

void read_free_windows(TableReader& table) {
  table.tables("free", kMaxEntries, [](TableReader& window) {
    window.require("from", R"("23:00")");
    window.require("to", R"("07:00")");
    window.text("days", [](std::string_view text) {
      const auto days = parse_days(text);
      return days ? Result<void>{} : Result<void>{days.error()};
    });
    window.time_of_day("from");
    window.time_of_day("to");
    window.number("weight", 0, 1);
  });
  if (table.has("free")) warn_later(table, "free", "every hour counts in full");
}

}  // namespace

void warn_later(TableReader& table, std::string_view key, std::string_view instead) {
  table.warn(key, fmt::format("understood, but not acted upon yet: {}", instead));
}

void read_later(TableReader& table) {
  read_rounding(table);
  read_sessions(table);
  read_prices(table);
  read_free_windows(table);
}

}  // namespace tulpar::config
