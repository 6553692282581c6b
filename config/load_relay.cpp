// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "config/address.hpp"
#include "config/sections.hpp"

namespace tulpar::config {
namespace {

constexpr std::size_t kMaxSources = 16;

// What sinks and sources have in common.
template <class Edge>
void read_broker(TableReader& table, TextCheck prefix, Edge& out) {
  assign(out.type, table.text("type", [](std::string_view text) {
    return text == "mqtt" ? Result<void>{} : Error{R"(not served; the only type is "mqtt")"};
  }));
  assign(out.host, table.text("host", check_host));
  assign(out.port, table.integer("port", 1, 65535));
  read_account(table, out.username, out.password);
  read_mqtt_tls(table, out.tls);
  assign(out.prefix, table.text("prefix", prefix));
}

void read_sink(TableReader& table, std::size_t number, Sink& out) {
  out.name = fmt::format("sink-{}", number);
  assign(out.name, table.text("name", check_name));
  read_broker(table, check_prefix, out);
  assign(out.audience, table.choice<Audience>("audience", kAudienceWords));
  assign(out.rescue, table.boolean("rescue"));
  if (out.rescue && audience_of(out) == Audience::kPrivate)
    table.warn("rescue", "has no effect: a private sink gets everything anyway");
}

void read_listen(TableReader& table, Relay::Listen& out) {
  assign(out.tls, table.text("tls", check_listen_address));
  assign(out.udp, table.text("udp", or_empty<check_listen_address>));
  if (!out.udp.empty()) table.warn("udp", "understood, but not served yet: gateways come by tls");
}

}  // namespace

void read_relay(TableReader& table, Relay& out) {
  table.require("name", R"("relay-1")");
  assign(out.name, table.text("name", check_name));
  assign(out.state_dir, table.text("state_dir", check_absolute));
  read_channels(table, out.channels);
  read_classes(table, out.classes);
  read_rules(table, out.classes, out.rules);
  table.table("listen", [&](TableReader& listen) { read_listen(listen, out.listen); });
  std::set<std::string> names;
  table.tables("sink", kMaxSinks, [&](TableReader& sink) {
    Sink& added = out.sinks.emplace_back();
    read_sink(sink, out.sinks.size(), added);
    if (names.insert(added.name).second) return;
    sink.error("name",
               "the name of another sink (one without a name is called sink-1, sink-2, ... by its place)");
  });
  table.tables("source", kMaxSources, [&](TableReader& source) {
    read_broker(source, check_source_prefix, out.sources.emplace_back());
  });
  if (out.sinks.empty())
    table.warn("sink", "none given: what the gateways send is stored here and goes nowhere");
  read_web(table, out.web);
  read_storage(table, out.storage);
}

}  // namespace tulpar::config
