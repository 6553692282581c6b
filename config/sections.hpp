// SPDX-License-Identifier: Apache-2.0
//
// The loader's parts, one function a table of the file; inside config/ only (load.hpp is the way in).
//
// Each reads what the reader's table holds into `out`, reports what is wrong and leaves the default there. One
// thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "config/reader.hpp"

namespace tulpar::config {

// The words of the enums, in the order of their values.
inline constexpr std::string_view kOverQuotaWords[] = {"always", "to-the-end", "paced", "slowed-first",
                                                       "left-over"};
inline constexpr std::string_view kDownlinkWords[] = {"always", "after-uplink", "window"};
inline constexpr std::string_view kAudienceWords[] = {"private", "public"};

// No plan sells a petabyte.
inline constexpr ByteSize kMaxVolume = 1'000'000'000'000'000;

// Where plans of the operator's own are found.
struct PlanFolder {
  std::filesystem::path path;  // STATE_DIR/plans
  const ReadFile& read;
};

void read_gateway(TableReader& table, Gateway& out, const PlanFolder& plans);
void read_relay(TableReader& table, Relay& out);

// Both have these tables.
void read_channels(TableReader& table, std::vector<Channel>& out);
void read_classes(TableReader& table, std::vector<MessageClass>& out);
// `topics`: what is subscribed; empty: anything may come.
void read_rules(TableReader& table, const std::vector<MessageClass>& classes, std::vector<Rule>& out,
                const std::vector<std::string>& topics = {});
void read_web(TableReader& table, Web& out);
void read_storage(TableReader& table, Storage& out);

// Keys of a broker that gateway, sinks and sources share.
void read_mqtt_tls(TableReader& table, MqttTls& out);
void read_account(TableReader& table, std::string& username, std::string& password);

// `plan` of a link: a preset's name or a table.
void read_plan(TableReader& link, const std::vector<MessageClass>& classes, const PlanFolder& plans, Link& out);
// The keys of a plan that are checked but not acted upon yet.
void read_later(TableReader& plan);
void warn_later(TableReader& table, std::string_view key, std::string_view instead);

}  // namespace tulpar::config
