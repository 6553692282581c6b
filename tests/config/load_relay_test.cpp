// SPDX-License-Identifier: Apache-2.0
#include "tests/catch.hpp"
#include "tests/config/loading.hpp"

using namespace tulpar::config;

namespace {

std::string told_of_relay(std::string_view more) {
  return told(parse_relay(std::string(kRelay) + std::string(more), "r").problems);
}

}  // namespace

TEST_CASE("the contract's relay loads") {
  const auto loaded = parse_relay(R"(name = "relay-1"
state_dir = "/var/lib/tulpar-relay"
[[channel]]
name = "LongFast"
psk = "AQ=="
[listen]
tls = "0.0.0.0:7700"
udp = "0.0.0.0:7700"
[[sink]]
type = "mqtt"
host = "127.0.0.1"
port = 1883
prefix = ""
audience = "private"
rescue = false
[[source]]
type = "mqtt"
host = "127.0.0.1"
port = 1883
prefix = "down/{gateway}/"
[web]
listen = "127.0.0.1:8481"
)",
                                  "r");
  REQUIRE(loaded.ok());
  CHECK(
      told(loaded.problems) ==
      "r:8: warning: [listen] udp = \"0.0.0.0:7700\": understood, but not served yet: gateways come by tls\n");
  Relay expected;
  expected.name = "relay-1";
  expected.channels = {{"LongFast", {1}}};
  expected.listen.udp = "0.0.0.0:7700";
  expected.sinks.push_back({.name = "sink-1", .audience = Audience::kPrivate});
  expected.sources.emplace_back();
  CHECK(*loaded.value == expected);
}

TEST_CASE("sinks and sources arrive with account, TLS and prefix") {
  const auto got = relay(std::string(kRelay) + R"(host = "mqtt.example.org"
port = 8883
username = "u"
password = "p"
prefix = "mesh/{gateway}/"
rescue = true
[sink.tls]
enabled = true
[[source]]
username = "v"
prefix = "x/{gateway}/y/"
[source.tls]
enabled = true
ca = "/ca"
)");
  const auto& sink = got.sinks.at(0);
  CHECK((sink.host == "mqtt.example.org" && sink.port == 8883 && sink.username == "u" && sink.password == "p"));
  CHECK((sink.prefix == "mesh/{gateway}/" && sink.rescue && !sink.audience && sink.tls.enabled));
  CHECK(audience_of(sink) == Audience::kPublic);
  const auto& source = got.sources.at(0);
  CHECK((source.username == "v" && source.prefix == "x/{gateway}/y/" && source.tls.ca == "/ca"));
}

TEST_CASE("sinks have names, their own or by their place, each its own") {
  const auto sinks = relay(std::string(kRelay) + "[[sink]]\nname = \"north\"\n[[sink]]").sinks;
  CHECK((sinks.at(0).name == "sink-1" && sinks.at(1).name == "north" && sinks.at(2).name == "sink-3"));
  CHECK(has(told_of_relay("name = \"a\"\n[[sink]]\nname = \"a\""),
            "r:6: [[sink]] name = \"a\": the name of another sink"));
  CHECK(has(told_of_relay("name = \"sink-2\"\n[[sink]]"), "[[sink]] name: the name of another sink"));
  CHECK(has(told_of_relay("name = \"a b\""), "not a name"));
}

TEST_CASE("a relay without sinks is told where its messages go") {
  CHECK(told(parse_relay("name = \"r\"", "r").problems) ==
        "r: warning: sink: none given: what the gateways send is stored here and goes nowhere\n");
}

TEST_CASE("what a relay cannot do is told") {
  CHECK(has(told_of_relay("type = \"nats\""),
            "r:4: [[sink]] type = \"nats\": not served; the only type is \"mqtt\""));
  CHECK(has(told_of_relay("prefix = \"a/#\""), "+ and # are not allowed"));
  CHECK(has(told_of_relay("prefix = \"{node}/\""), "the only placeholder is {gateway}"));
  CHECK(has(told_of_relay("audience = \"all\""), "must be one of \"private\", \"public\""));
  CHECK(has(told_of_relay("rescue = true"), "warning: [[sink]] rescue = true: has no effect"));
  CHECK(has(told_of_relay("[[source]]\nprefix = \"down/\""),
            "[[source]] prefix = \"down/\": needs {gateway} once"));
  CHECK(has(told_of_relay("[listen]\ntls = \"\""), "not HOST:PORT"));
  CHECK(has(told_of_relay("[listen]\ntls = \"localhost:7700\""),
            "[listen] tls = \"localhost:7700\": needs an address"));
  CHECK(has(told_of_relay("[[link]]"), "link: unknown key; the nearest known one is \"sink\""));
  std::string sinks;
  for (int i = 0; i < 63; ++i) sinks += "[[sink]]\n";
  CHECK(has(told_of_relay(sinks), "sink: too many; 63 are allowed"));
}

TEST_CASE("classes, rules and storage are read at the relay as at the gateway") {
  const auto got = relay(std::string(kRelay) +
                         "[[rule]]\nclass = \"weather\"\n[[class]]\nname = \"weather\"\n[storage]\nmax_size = "
                         "\"5GB\"\n[web]\ntls = \"off\"");
  CHECK(got.rules.at(0).cls == "weather");
  CHECK(got.classes.at(4).name == "weather");
  CHECK(got.storage.max_size == 5'000'000'000);
  CHECK(got.web.listen == "127.0.0.1:8481");
}
