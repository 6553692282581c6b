// SPDX-License-Identifier: Apache-2.0
#include "config/dump.hpp"

#include <fmt/format.h>

#include "config/sections.hpp"
#include "config/text.hpp"
#include "config/units.hpp"

namespace tulpar::config {
namespace {

// The text, line by line.
class Writer {
 public:
  void table(std::string_view header) { out_ += fmt::format("{}{}\n", out_.empty() ? "" : "\n", header); }
  void comment(std::string_view text) { out_ += fmt::format("# {}\n", text); }
  void raw(std::string_view key, std::string_view value) { out_ += fmt::format("{} = {}\n", key, value); }
  void text(std::string_view key, std::string_view value) { raw(key, quote(value)); }
  void secret(std::string_view key, std::string_view value) { text(key, value.empty() ? value : kMasked); }
  void flag(std::string_view key, bool value) { raw(key, value ? "true" : "false"); }
  template <class Number>
  void number(std::string_view key, Number value) {
    raw(key, fmt::format("{}", value));
  }
  void texts(std::string_view key, const std::vector<std::string>& values) {
    std::string list;
    for (const auto& value : values) list += (list.empty() ? " " : ", ") + quote(value);
    raw(key, fmt::format("[{} ]", list));
  }
  template <class Value>
  void text_if(std::string_view key, const std::optional<Value>& value, std::string (*format)(Value)) {
    if (value) text(key, format(*value));
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

void write_tls(Writer& out, std::string_view header, const MqttTls& tls) {
  out.table(header);
  out.flag("enabled", tls.enabled);
  out.text("ca", tls.ca);
  out.text("cert", tls.cert);
  out.text("key", tls.key);
  out.flag("insecure", tls.insecure);
}

void write_mqtt(Writer& out, const Mqtt& mqtt) {
  out.table("[mqtt]");
  if (mqtt.managed()) out.comment("no host: Tulpar runs a broker of its own");
  out.text("host", mqtt.host);
  out.number("port", mqtt.port);
  out.text("username", mqtt.username);
  out.secret("password", mqtt.password);
  out.texts("topics", mqtt.topics);
  out.text("listen", mqtt.listen);
  write_tls(out, "[mqtt.tls]", mqtt.tls);
  for (const auto& user : mqtt.users) {
    out.table("[[mqtt.users]]");
    out.text("name", user.name);
    out.secret("password", user.password);
    out.texts("topics", user.topics);
  }
}

void write_channels(Writer& out, const std::vector<Channel>& channels) {
  for (const auto& channel : channels) {
    out.table("[[channel]]");
    out.text("name", channel.name);
    out.comment(fmt::format("a key of {} byte{}", channel.psk.size(), channel.psk.size() == 1 ? "" : "s"));
    out.secret("psk", as_text(channel.psk));
  }
}

void write_rules(Writer& out, const std::vector<Rule>& rules) {
  for (const auto& rule : rules) {
    out.table("[[rule]]");
    out.text("topic", rule.topic);
    if (!rule.drop) out.text("class", rule.cls);
    out.flag("drop", rule.drop);
    out.number("node", rule.node);
    if (rule.port) out.number("port", *rule.port);
    if (!rule.channel.empty()) out.text("channel", rule.channel);
    if (!rule.from.empty()) out.text("from", rule.from);
    out.text_if("min_size", rule.min_size, format_size);
    out.text_if("max_size", rule.max_size, format_size);
  }
}

void write_classes(Writer& out, const std::vector<MessageClass>& classes) {
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto& cls = classes[i];
    out.table("[[class]]");
    out.text("name", cls.name);
    if (i > 0) out.text("after", classes[i - 1].name);
    out.number("weight", cls.weight);
    out.number("minimum_share", cls.minimum_share);
    out.text("hold", format_duration(cls.hold));
    out.text("ttl", format_duration(cls.ttl));
    out.flag("latest_only", cls.latest_only);
    out.text("over_quota", kOverQuotaWords[static_cast<std::size_t>(cls.over_quota)]);
  }
}

void write_plan(Writer& out, const Plan& plan, const std::string& preset) {
  out.table("[link.plan]");
  if (!preset.empty()) out.text("preset", preset);
  out.text("currency", plan.currency);
  out.text("included", format_size(plan.included));
  out.raw("price", format_money(plan.price));
  out.text("per", format_size(plan.per));
  // The limit in force already holds what `over` and `spend_limit` said.
  out.text("over", plan.hard_cap && *plan.hard_cap <= plan.included ? "hold" : "spend");
  out.text_if("hard_cap", plan.hard_cap, format_size);
  out.number("soft_cap", plan.soft_cap);
  out.raw("reserve", fmt::format("{{ emergency = {} }}", quote(format_size(plan.reserve))));
  out.raw("cycle", fmt::format("{{ reset_day = {}, time = {}, zone = {} }}", plan.cycle.reset_day,
                               quote(format_time_of_day(plan.cycle.reset_minute)), quote(plan.cycle.zone)));
}

void write_links(Writer& out, const std::vector<Link>& links) {
  for (const auto& link : links) {
    out.table("[[link]]");
    out.text("name", link.name);
    out.text("transport", link.transport);
    out.text("enrolment_file", link.enrolment_file);
    out.text("rate", format_rate(link.rate));
    out.text("downlink", kDownlinkWords[static_cast<std::size_t>(link.downlink)]);
    if (link.plan)
      write_plan(out, *link.plan, link.plan_name);
    else
      out.comment("no plan: bytes are counted, nothing is limited");
  }
}

template <class Edge>
void write_broker(Writer& out, const Edge& edge) {
  out.text("type", edge.type);
  out.text("host", edge.host);
  out.number("port", edge.port);
  out.text("username", edge.username);
  out.secret("password", edge.password);
  out.text("prefix", edge.prefix);
}

void write_sinks(Writer& out, const std::vector<Sink>& sinks) {
  for (const auto& sink : sinks) {
    out.table("[[sink]]");
    out.text("name", sink.name);
    write_broker(out, sink);
    if (!sink.audience) out.comment("by its host:");
    out.text("audience", kAudienceWords[static_cast<std::size_t>(audience_of(sink))]);
    out.flag("rescue", sink.rescue);
    write_tls(out, "[sink.tls]", sink.tls);
  }
}

void write_sources(Writer& out, const std::vector<Source>& sources) {
  for (const auto& source : sources) {
    out.table("[[source]]");
    write_broker(out, source);
    write_tls(out, "[source.tls]", source.tls);
  }
}

void write_web(Writer& out, const Web& web) {
  out.table("[web]");
  out.text("listen", web.listen);
  if (web.tls == "files")
    out.raw("tls", fmt::format("{{ cert = {}, key = {} }}", quote(web.cert), quote(web.key)));
  else
    out.text("tls", web.tls);
}

void write_storage(Writer& out, const Storage& storage) {
  out.table("[storage]");
  out.text("max_size", format_size(storage.max_size));
  out.text("keep_delivered", format_duration(storage.keep_delivered));
  out.text("keep_story", format_duration(storage.keep_story));
}

}  // namespace

std::string dump(const Gateway& gateway) {
  Writer out;
  out.text("name", gateway.name);
  out.text("state_dir", gateway.state_dir);
  write_mqtt(out, gateway.mqtt);
  write_channels(out, gateway.channels);
  write_rules(out, gateway.rules);
  write_classes(out, gateway.classes);
  write_links(out, gateway.links);
  write_web(out, gateway.web);
  write_storage(out, gateway.storage);
  return out.take();
}

std::string dump(const Relay& relay) {
  Writer out;
  out.text("name", relay.name);
  out.text("state_dir", relay.state_dir);
  write_channels(out, relay.channels);
  write_rules(out, relay.rules);
  write_classes(out, relay.classes);
  out.table("[listen]");
  out.text("tls", relay.listen.tls);
  out.text("udp", relay.listen.udp);
  write_sinks(out, relay.sinks);
  write_sources(out, relay.sources);
  write_web(out, relay.web);
  write_storage(out, relay.storage);
  return out.take();
}

}  // namespace tulpar::config
