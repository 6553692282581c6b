// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "config/sections.hpp"

namespace tulpar::config {
namespace {

constexpr std::size_t kMaxTopics = 256;
constexpr std::size_t kMaxUsers = 1000;
constexpr BitRate kMinRate = 300, kMaxRate = 1'000'000'000;

void read_user(TableReader& table, Mqtt::User& out) {
  table.require("name", R"("roof-node")");
  table.require("password", R"("...")");
  assign(out.name, table.text("name", check_name));
  assign(out.password, table.secret("password"));
  if (table.has("password") && out.password.empty()) table.error("password", "must not be empty");
  assign(out.topics, table.texts("topics", check_filter, kMaxTopics));
}

void read_users(TableReader& table, std::vector<Mqtt::User>& out) {
  std::set<std::string> names;
  table.tables("users", kMaxUsers, [&](TableReader& user) {
    read_user(user, out.emplace_back());
    if (!out.back().name.empty() && !names.insert(out.back().name).second) user.error("name", "given twice");
  });
}

// Keys that say something about the one kind of broker while the other is used.
void warn_of_idle_keys(TableReader& table, const Mqtt& mqtt) {
  const Mqtt defaults;
  const auto idle = [&](std::string_view key, bool differs, std::string_view why) {
    if (differs) table.warn(key, fmt::format("has no effect: {}", why));
  };
  if (mqtt.managed()) {
    constexpr std::string_view kWhy = "without `host` Tulpar runs a broker of its own (`listen`, `users`)";
    idle("port", mqtt.port != defaults.port, kWhy);
    idle("username", mqtt.username != defaults.username, kWhy);
    idle("tls", mqtt.tls != defaults.tls, kWhy);
  } else {
    constexpr std::string_view kWhy = "it is for the broker that Tulpar runs itself, and `host` names another";
    idle("listen", mqtt.listen != defaults.listen, kWhy);
    idle("users", !mqtt.users.empty(), kWhy);
  }
}

void read_mqtt(TableReader& table, Mqtt& out) {
  // "" says managed, as does no host at all.
  assign(out.host, table.text("host", or_empty<check_host>));
  assign(out.port, table.integer("port", 1, 65535));
  read_account(table, out.username, out.password);
  read_mqtt_tls(table, out.tls);
  assign(out.topics, table.texts("topics", check_filter, kMaxTopics));
  if (out.topics.empty()) table.error("topics", R"(must not be empty; write e.g. [ "msh/#" ])");
  assign(out.listen, table.text("listen", check_listen));
  read_users(table, out.users);
  warn_of_idle_keys(table, out);
}

void read_transport(TableReader& table, Link& out) {
  constexpr std::string_view kWords[] = {"tls", "udp", "auto"};
  enum class Transport { kTls, kUdp, kAuto };
  const auto transport = table.choice<Transport>("transport", kWords);
  if (!transport) return;
  out.transport = kWords[static_cast<std::size_t>(*transport)];
  if (*transport != Transport::kTls)
    table.error("transport", R"(known, but not served at the gateway yet; write "tls")");
}

void read_link(TableReader& table, const Gateway& gateway, const PlanFolder& plans, Link& out) {
  assign(out.name, table.text("name", check_name));
  read_transport(table, out);
  table.require("enrolment_file", R"("/etc/tulpar/NAME.enrolment")");
  assign(out.enrolment_file, table.path("enrolment_file"));
  if (table.has("enrolment_file") && out.enrolment_file.empty())
    table.error("enrolment_file", "must name the file with the line that `tulpar enrol` printed");
  assign(out.rate, table.rate("rate", kMinRate, kMaxRate));
  assign(out.downlink, table.choice<Downlink>("downlink", kDownlinkWords));
  read_plan(table, gateway.classes, plans, out);
}

void read_links(TableReader& table, const PlanFolder& plans, Gateway& out) {
  // The second is read, too, so that its other problems are told at once.
  table.tables("link", 2, [&](TableReader& link) {
    read_link(link, out, plans, out.links.emplace_back());
    if (out.links.size() > 1) link.error("", "only one [[link]] for now; remove this one");
  });
  if (out.links.empty()) table.error("link", "missing; a gateway needs one [[link]] with its enrolment_file");
}

}  // namespace

void read_gateway(TableReader& table, Gateway& out, const PlanFolder& plans) {
  table.require("name", R"("almaty-roof")");
  assign(out.name, table.text("name", check_name));
  assign(out.state_dir, table.text("state_dir", check_absolute));
  table.table("mqtt", [&](TableReader& mqtt) { read_mqtt(mqtt, out.mqtt); });
  read_channels(table, out.channels);
  read_classes(table, out.classes);
  read_rules(table, out.classes, out.rules, out.mqtt.topics);
  read_links(table, plans, out);
  read_web(table, out.web);
  read_storage(table, out.storage);
}

}  // namespace tulpar::config
