// SPDX-License-Identifier: Apache-2.0
#include "gateway/demo/daemon_config.hpp"

#include "config/load.hpp"
#include "tests/catch.hpp"

using namespace tulpar;
using namespace tulpar::demo;

namespace {

DaemonSetup setup() {
  return {.directory = "/tmp/a \"b\" \\c/ұ",
          .site_port = 1001,
          .net_port = 1002,
          .relay_port = 1003,
          .rate = 88'000,
          .page = {"127.0.0.1", 8480},
          .reset_day = 13};
}

template <class T>
T good(const config::Loaded<T>& loaded) {
  for (const auto& problem : loaded.problems) UNSCOPED_INFO(config::explain(problem));
  CHECK(loaded.problems.empty());
  REQUIRE(loaded.ok());
  return *loaded.value;
}

}  // namespace

TEST_CASE("the gateway's configuration is a good one, whatever the directory is called") {
  const auto gateway = good(config::parse_gateway(gateway_toml(setup())));
  CHECK(gateway.name == kGatewayName);
  CHECK(gateway.state_dir == setup().gateway_state());
  CHECK(gateway.mqtt.host == "127.0.0.1");
  CHECK(gateway.mqtt.port == 1001);
  REQUIRE(gateway.links.size() == 1);
  CHECK(gateway.links[0].enrolment_file == setup().enrolment_file());
  CHECK(gateway.links[0].rate == 88'000);
  REQUIRE(gateway.links[0].plan.has_value());
  CHECK(gateway.links[0].plan->price > 0);
  CHECK(gateway.web.listen == "127.0.0.1:8480");
  CHECK(gateway.web.tls == "off");
  CHECK(gateway.links[0].plan->cycle.reset_day == 13);
}

TEST_CASE("but for two waits the classes are the product's") {
  auto classes = good(config::parse_gateway(gateway_toml(setup()))).classes;
  const auto defaults = config::default_classes();
  REQUIRE(classes.size() == defaults.size());
  int shorter = 0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i].hold < defaults[i].hold) ++shorter;
    classes[i].hold = defaults[i].hold;
  }
  CHECK(shorter == 2);
  CHECK(classes == defaults);
}

TEST_CASE("the plan's cycle is ten days old, on every day of the year") {
  using namespace std::chrono;
  CHECK(reset_day_before(sys_days(2026y / 11 / 23) + 5h) == 13);
  CHECK(reset_day_before(sys_days(2026y / 3 / 1)) == 19);
  CHECK(reset_day_before(sys_days(2026y / 11 / 10) + 23h) == 31);
}

TEST_CASE("the relay's configuration is a good one") {
  const auto relay = good(config::parse_relay(relay_toml(setup())));
  CHECK(relay.state_dir == setup().relay_state());
  CHECK(relay.listen.tls == "127.0.0.1:1003");
  REQUIRE(relay.sinks.size() == 1);
  REQUIRE(relay.sources.size() == 1);
  CHECK(relay.sinks[0].port == 1002);
  CHECK(relay.sources[0].port == 1002);
  CHECK(relay.sources[0].prefix == "down/{gateway}/");
  CHECK(config::audience_of(relay.sinks[0]) == config::Audience::kPrivate);
  CHECK(relay.web.listen.empty());
}

TEST_CASE("both ends know the channel that the mesh uses") {
  const auto gateway = good(config::parse_gateway(gateway_toml(setup())));
  const auto relay = good(config::parse_relay(relay_toml(setup())));
  REQUIRE(gateway.channels.size() == 1);
  CHECK(gateway.channels[0].name == "LongFast");
  CHECK(gateway.channels == relay.channels);
}

TEST_CASE("a page that others can see is encrypted") {
  DaemonSetup open = setup();
  open.page = {"0.0.0.0", 8480};
  CHECK(good(config::parse_gateway(gateway_toml(open))).web.tls == "auto");
  CHECK(page_url(open.page) == "https://0.0.0.0:8480/");
  CHECK(page_url({"::1", 8480}) == "http://[::1]:8480/");
}
