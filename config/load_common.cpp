// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "config/address.hpp"
#include "config/sections.hpp"

namespace tulpar::config {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kMaxChannels = 64;
constexpr Millis kDay = 24h;

void read_channel(TableReader& table, Channel& out) {
  table.require("name", R"("LongFast")");
  table.require("psk", R"("AQ==")");
  assign(out.name, table.text("name", check_channel_name));
  assign(out.psk, table.base64_secret("psk"));
  const auto size = out.psk.size();
  // The firmware pads other lengths with zeros; here they are taken for a slip of the pen.
  if (size != 0 && size != 1 && size != 16 && size != 32)
    table.error("psk",
                fmt::format("a key of {} bytes; allowed are 0 (none), 1 (a default key), 16 and 32", size));
}

void read_certificate(TableReader& table, Web& out) {
  table.require("cert", R"("/etc/tulpar/page.pem")");
  table.require("key", R"("/etc/tulpar/page.key")");
  assign(out.cert, table.path("cert"));
  assign(out.key, table.path("key"));
  out.tls = "files";
}

void read_web_tls(TableReader& table, Web& out) {
  const Node* tls = table.find("tls");
  if (!tls) return;
  if (tls->kind == Node::Kind::kTable)
    table.visit("tls", *tls, [&](TableReader& files) { read_certificate(files, out); });
  else if (tls->kind == Node::Kind::kString && (tls->text == "auto" || tls->text == "off"))
    out.tls = tls->text;
  else
    table.error("tls", R"(must be "auto", "off" or { cert = "FILE", key = "FILE" })");
}

}  // namespace

void read_channels(TableReader& table, std::vector<Channel>& out) {
  std::set<std::string> names;
  table.tables("channel", kMaxChannels, [&](TableReader& channel) {
    read_channel(channel, out.emplace_back());
    if (!out.back().name.empty() && !names.insert(out.back().name).second) channel.error("name", "given twice");
  });
}

void read_web(TableReader& table, Web& out) {
  table.table("web", [&](TableReader& web) {
    assign(out.listen, web.text("listen", or_empty<check_listen>));
    read_web_tls(web, out);
    const auto address = parse_host_port(out.listen);
    if (out.tls == "off" && address && !is_loopback(address->host))
      web.error(
          "tls",
          "refused beyond loopback, passwords would cross the network readable; write \"auto\", or listen "
          "on 127.0.0.1");
  });
}

void read_storage(TableReader& table, Storage& out) {
  table.table("storage", [&](TableReader& storage) {
    assign(out.max_size, storage.size("max_size", 10'000'000, 10'000'000'000'000));
    assign(out.keep_delivered, storage.duration("keep_delivered", 0s, 30 * kDay));
    assign(out.keep_story, storage.duration("keep_story", 1h, 366 * kDay));
    if (out.keep_story < out.keep_delivered)
      storage.error("keep_story", "must not be shorter than keep_delivered: the payload is part of the story");
  });
}

void read_mqtt_tls(TableReader& table, MqttTls& out) {
  table.table("tls", [&](TableReader& tls) {
    assign(out.enabled, tls.boolean("enabled"));
    assign(out.ca, tls.path("ca"));
    assign(out.cert, tls.path("cert"));
    assign(out.key, tls.path("key"));
    assign(out.insecure, tls.boolean("insecure"));
    if (out.cert.empty() != out.key.empty())
      tls.error(out.cert.empty() ? "cert" : "key", "missing: cert and key go together");
    if (!out.enabled && out != MqttTls{})
      tls.warn("enabled", "the other keys have no effect without enabled = true");
  });
}

void read_account(TableReader& table, std::string& username, std::string& password) {
  assign(username, table.text("username"));
  assign(password, table.secret("password"));
  if (username.empty() && !password.empty())
    table.error("username", "missing: a password goes with a username");
}

}  // namespace tulpar::config
